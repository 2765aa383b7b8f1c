package cluster_test

import (
	"context"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// TestStandaloneRestartWaits: the restart of a standalone worker is answered when what was to stop has stopped.
func TestStandaloneRestartWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stopping = 2 * time.Second
		source := &connect.Partitioned[int, int]{
			Partitions: func(context.Context) ([]int, error) { return []int{0}, nil },
			Read: func(ctx context.Context, _ int, _ *int) iter.Seq2[connect.Emit[int], error] {
				return func(func(connect.Emit[int], error) bool) {
					<-ctx.Done()
					time.Sleep(stopping)
				}
			},
		}
		i := startConfigured(t, kafkatest.New(t), "a", cluster.Config{Coordinator: cluster.Standalone()}, cluster.Source{Name: "s", Connector: source, Topic: "t"})
		await(t, i.Runtime, "s", cluster.Running, cluster.Running)
		time.Sleep(time.Second) // it reads
		for _, path := range []string{"/connectors/s/restart?includeTasks=true", "/connectors/s/tasks/0/restart"} {
			began := time.Now()
			w := httptest.NewRecorder()
			i.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
			if took := time.Since(began); w.Code >= 300 || took < stopping {
				t.Errorf("%s: status %d after %v, want it after %v", path, w.Code, took, stopping)
			}
			time.Sleep(5 * time.Second)
		}
	})
}
