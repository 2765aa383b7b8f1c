package cluster_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/plugin/file"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// slowOffsets start after a minute.
type slowOffsets struct{ *offsets.Memory }

func (slowOffsets) Start(ctx context.Context) error {
	select {
	case <-time.After(time.Minute):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestLookingForTopicsMakesNone: a broker that makes what it is asked for would make the config topic otherwise than it has to be.
func TestLookingForTopicsMakesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t, kafkatest.Kfake(kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(3)))
		k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.NotController, Count: 3}) // looking comes first
		a := startConfigured(t, k, "a", cluster.Config{Client: []kgo.Opt{kgo.AllowAutoTopicCreation()}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := a.Connectors(ctx); err != nil {
			t.Errorf("it has not started: %v", err)
		}
	})
}

// TestFirstAnswerOfOneThatStartsLate: another instance may have configured something meanwhile.
func TestFirstAnswerOfOneThatStartsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		plugins := new(connect.Registry).MustAdd(file.Plugins()...)
		late := startConfigured(t, k, "late", cluster.Config{Plugins: plugins, Offsets: slowOffsets{new(offsets.Memory)}})
		synctest.Wait()
		other := startConfigured(t, k, "other", cluster.Config{Plugins: plugins})
		if err := other.PutConnector(t.Context(), "c", connect.Config{"connector.class": "FileStreamSource", "file": "none", "topic": "t", "tasks.max": "1"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second) // late still starts
		w := httptest.NewRecorder()
		late.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/connectors", nil))
		if text := strings.TrimSpace(w.Body.String()); text != `["c"]` {
			t.Errorf("%s, want c", text)
		}
	})
}

// TestFirstErrorOfAStart: what went wrong first is what Run returns, also if another store hangs until the deadline.
func TestFirstErrorOfAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("g-configs", 3, "cleanup.policy", "compact")
		rt, err := cluster.New(cluster.Config{Brokers: k.Addrs(), Client: k.NewLink().ClientOpts(), GroupID: "g", Offsets: slowOffsets{new(offsets.Memory)}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := rt.Run(ctx); err == nil || !strings.Contains(err.Error(), "single partition") {
			t.Errorf("Run: %v, want that the config topic has too many partitions", err)
		}
	})
}
