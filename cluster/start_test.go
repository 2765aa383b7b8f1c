package cluster_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// Run ends as its context does, also when no broker has answered yet.
func TestStopBeforeABrokerAnswers(t *testing.T) {
	for _, tt := range []struct {
		name string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want string
	}{
		{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2*time.Second, cancel)
			return ctx, cancel
		}, ""},
		{"deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		}, "can be reached"},
		{"the runtime's own patience", context.WithCancel, "can be reached"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				link := kafkatest.New(t).NewLink()
				link.Cut()
				rt, err := cluster.New(cluster.Config{Brokers: []string{"127.0.0.1:9092"}, Client: link.ClientOpts(), GroupID: "g"})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				err = rt.Run(ctx)
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("Run: %v, want %q", err, tt.want)
				}
			})
		})
	}
}
