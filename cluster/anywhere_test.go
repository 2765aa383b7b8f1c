package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// starts is a source of some tasks that counts how often each was started.
type starts struct{ counts [4]atomic.Int64 }

func (s *starts) connector() connect.SourceConnector {
	return &connect.Partitioned[int, int]{
		Partitions: func(context.Context) ([]int, error) { return []int{0, 1, 2, 3}, nil },
		Read: func(ctx context.Context, p int, _ *int) iter.Seq2[connect.Emit[int], error] {
			return func(func(connect.Emit[int], error) bool) {
				s.counts[p].Add(1)
				<-ctx.Done()
			}
		},
	}
}

func (s *starts) all() (all [4]int64) {
	for i := range s.counts {
		all[i] = s.counts[i].Load()
	}
	return all
}

// TestRestartTaskAnywhere: a task is restarted wherever it runs, whichever instance is asked, by the API and in Go,
// whether instances can reach one another or not.
func TestRestartTaskAnywhere(t *testing.T) {
	for _, reachable := range []bool{true, false} {
		t.Run(fmt.Sprintf("reachable=%t", reachable), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kafkatest.New(t)
				p, s := newPeers(), new(starts)
				var all []*instance
				for _, name := range []string{"a", "b"} {
					source := cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 4}
					if reachable {
						all = append(all, p.member(t, k, name, cluster.Config{}, source))
					} else {
						all = append(all, startInstance(t, k, name, nil, source))
					}
				}
				time.Sleep(30 * time.Second)
				status := await(t, all[0].Runtime, "s", cluster.Running, cluster.Running, cluster.Running, cluster.Running, cluster.Running)
				workers := make(map[string]int)
				for _, task := range status.Tasks {
					workers[task.Worker]++
				}
				if len(workers) != 2 {
					t.Errorf("the tasks are not spread over two workers with names of their own: %v", workers)
				}
				for _, i := range all {
					for task := range 4 {
						before := s.all()
						if err := i.RestartTask(t.Context(), connect.TaskID{Connector: "s", Task: task}); err != nil {
							t.Fatalf("restart of task %d asked of %s: %v", task, i.name, err)
						}
						time.Sleep(time.Second)
						if code, answer := i.ask("POST", fmt.Sprintf("/connectors/s/tasks/%d/restart", task), ""); code != http.StatusNoContent {
							t.Fatalf("restart of task %d asked of %s: %d %s", task, i.name, code, answer)
						}
						time.Sleep(time.Second)
						after, changed := s.all(), 0
						for n := range after {
							if after[n] != before[n] {
								changed++
								if after[n] != before[n]+2 {
									t.Errorf("task %d asked of %s: starts before %v, after %v, want two more of one", task, i.name, before, after)
								}
							}
						}
						if changed != 1 {
							t.Errorf("task %d asked of %s: starts before %v, after %v, want two more of one", task, i.name, before, after)
						}
					}
					for _, id := range []connect.TaskID{{Connector: "s", Task: 4}, {Connector: "none"}} {
						if err := i.RestartTask(t.Context(), id); !errors.Is(err, connect.ErrNotFound) {
							t.Errorf("restart of %v: %v", id, err)
						}
					}
				}
			})
		})
	}
}

// TestRequestsWaitForARebalance: a request that finds the instance outside of its group waits until it is inside.
func TestRequestsWaitForARebalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		s := new(starts)
		p := newPeers()
		source := cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 4}
		p.member(t, k, "a", cluster.Config{}, source)
		b := p.member(t, k, "b", cluster.Config{}, source)
		java := p.member(t, k, "java", cluster.KafkaConnectDefaults(cluster.Config{}), source)
		time.Sleep(30 * time.Second)
		for _, i := range []*instance{b, java} {
			i.link.Cut()
		}
		time.Sleep(20 * time.Second) // their sessions are over
		began := time.Now()
		code, answer := java.ask("PUT", "/connectors/s/stop", "")
		if waited := time.Since(began); code != http.StatusConflict || waited != 0 || answer != `{"error_code":409,"message":"Cannot complete request because of a conflicting operation (e.g. worker rebalance)"}` {
			t.Errorf("with Kafka Connect's defaults: after %v %d %s", waited, code, answer)
		}
		code, answer = b.ask("PUT", "/connectors/s/stop", "")
		if waited := time.Since(began); code != http.StatusConflict || waited != 30*time.Second ||
			!strings.Contains(answer, "Cannot complete request because of a conflicting operation (e.g. worker rebalance). It was tried for 30s. The worker is currently ensuring membership in the cluster, which began at ") {
			t.Errorf("without an end: after %v %d %s", waited, code, answer)
		}
		if err := b.RestartTask(t.Context(), connect.TaskID{Connector: "s"}); err == nil || !strings.Contains(err.Error(), "It was tried for 30s.") {
			t.Errorf("in Go: %v", err)
		}
		time.AfterFunc(10*time.Second, b.link.Heal)
		began = time.Now()
		code, answer = b.ask("PUT", "/connectors/s/stop", "")
		if waited := time.Since(began); code != http.StatusNoContent || waited < 10*time.Second || waited > 25*time.Second {
			t.Errorf("with an end: after %v %d %s", waited, code, answer)
		}
		time.Sleep(time.Second)
		if tasks, err := b.Tasks(t.Context(), "s"); err != nil || len(tasks) > 0 {
			t.Errorf("the connector was not stopped: %v, %v", tasks, err)
		}
	})
}

// TestRestartOfATaskNobodyHas: while the work of a worker that vanished waits for it, a restart of it says so.
func TestRestartOfATaskNobodyHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		s := new(starts)
		p := newPeers()
		source := cluster.Source{Name: "s", Connector: s.connector(), Topic: "t", Tasks: 4}
		a := p.member(t, k, "a", cluster.Config{}, source) // leads
		time.Sleep(5 * time.Second)
		b := p.member(t, k, "b", cluster.Config{}, source)
		time.Sleep(30 * time.Second)
		b.link.Cut()
		time.Sleep(20 * time.Second)
		conflicts := 0
		for task := range 4 {
			code, answer := a.ask("POST", fmt.Sprintf("/connectors/s/tasks/%d/restart", task), "")
			switch {
			case code == http.StatusNoContent:
			case code == http.StatusConflict && strings.Contains(answer, fmt.Sprintf("task s-%d is not assigned to any worker", task)) && strings.Contains(answer, "It was tried for 30s."):
				conflicts++
			default:
				t.Errorf("task %d: %d %s", task, code, answer)
			}
		}
		if conflicts != 2 {
			t.Errorf("%d of the tasks are nobody's, want 2", conflicts)
		}
	})
}

// TestRequestsForWhatIsToCome: a status that is asked for before anybody has begun with a new connector waits for that, and a restart that comes before a new connector has said what its tasks are waits for them. What the
// connector turns out not to have is unknown.
func TestRequestsForWhatIsToCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		s := new(starts)
		p := newPeers()
		reg := new(connect.Registry).MustAdd(
			connect.SourcePlugin{PluginInfo: connect.PluginInfo{Class: "example.Starts"}, New: s.connector},
			connect.SourcePlugin{PluginInfo: connect.PluginInfo{Class: "example.Broken"}, New: func() connect.SourceConnector { return broken{s.connector()} }},
		)
		a := p.member(t, k, "a", cluster.Config{Plugins: reg})
		b := p.member(t, k, "b", cluster.Config{Plugins: reg})
		java := p.member(t, k, "java", cluster.KafkaConnectDefaults(cluster.Config{Plugins: reg}))
		time.Sleep(30 * time.Second)
		// put has an instance make or change a connector, and waits until it has read that, which the leader may have written.
		put := func(i *instance, name, class string, tasks int) {
			config := fmt.Sprintf(`{"connector.class":%q,"topic":"t","tasks.max":"%d"}`, class, tasks)
			if code, answer := i.ask("PUT", "/connectors/"+name+"/config", config); code/100 != 2 {
				t.Fatalf("PUT %s: %d %s", name, code, answer)
			}
			for read := ""; !strings.Contains(read, class) || !strings.Contains(read, fmt.Sprintf(`"tasks.max":"%d"`, tasks)); time.Sleep(time.Millisecond) {
				_, read = i.ask("GET", "/connectors/"+name+"/config", "")
			}
		}
		for n, i := range []*instance{a, b} {
			name := fmt.Sprint("s", n)
			restart := func(task, want int) {
				t.Helper()
				if code, answer := i.ask("POST", fmt.Sprintf("/connectors/%s/tasks/%d/restart", name, task), ""); code != want {
					t.Errorf("restart of task %d asked of %s: %d %s, want %d", task, i.name, code, answer, want)
				}
			}
			put(i, name, "example.Starts", 2)
			if _, status := i.ask("GET", "/connectors/"+name+"/status", ""); !strings.Contains(status, `"connector":{"state":"RUNNING"`) {
				t.Errorf("status asked of %s: %s", i.name, status)
			}
			restart(1, http.StatusNoContent)
			restart(2, http.StatusNotFound)
			put(i, name, "example.Starts", 4)
			restart(3, http.StatusNoContent)
			put(i, name, "example.Broken", 5)
			time.Sleep(time.Minute) // the old one is seen to run meanwhile
			restart(4, http.StatusNotFound)
		}
		put(java, "j", "example.Starts", 1)
		code, answer := java.ask("POST", "/connectors/j/tasks/0/restart", "")
		if want := "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)"; code != http.StatusConflict || !strings.Contains(answer, want) {
			t.Errorf("with Kafka Connect's defaults: %d %s", code, answer)
		}
		if _, status := java.ask("GET", "/connectors/j/status", ""); !strings.Contains(status, `"connector":{"state":"UNASSIGNED"`) {
			t.Errorf("status with Kafka Connect's defaults: %s", status)
		}
	})
}

// broken is a connector that can't start.
type broken struct{ connect.SourceConnector }

func (broken) Start(context.Context, connect.ConnectorContext, connect.Config) error {
	return connect.DataErrorf("no")
}
