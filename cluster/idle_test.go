package cluster_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// idle is a source of many tasks that have nothing to do.
type idle struct{ connect.SourceConnector }

func (idle) Start(context.Context, connect.ConnectorContext, connect.Config) error { return nil }
func (idle) Stop(context.Context) error                                            { return nil }
func (idle) NewTask() connect.SourceTask                                           { return idleTask{} }
func (idle) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	return make([]connect.Config, maxTasks), nil
}

type idleTask struct{}

func (idleTask) Start(context.Context, connect.SourceTaskContext, connect.Config) error { return nil }
func (idleTask) Stop(context.Context) error                                             { return nil }
func (idleTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	<-ctx.Done()
	return nil, nil
}

// connections counts those of the clients of a runtime.
type connections struct{ open atomic.Int64 }

func (c *connections) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil {
		c.open.Add(1)
	}
}
func (c *connections) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) { c.open.Add(-1) }

// ownGoroutines counts goroutines without those that the Kafka client and the brokers in memory begin for their connections.
func ownGoroutines() (n int) {
	stacks := make([]byte, 8<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if !strings.Contains(stack, "created by github.com/twmb/franz-go/") {
			n++
		}
	}
	return n
}

// TestIdleTasks: a task that has nothing to do costs two goroutines, no connection of its own, and next to no time.
func TestIdleTasks(t *testing.T) {
	const tasks = 500
	run := func(tasks int) (goroutines int, open int64, took time.Duration) {
		begin := time.Now()
		synctest.Test(t, func(t *testing.T) {
			k := kafkatest.New(t)
			var c connections
			k.Run(cluster.Config{Client: []kgo.Opt{kgo.WithHooks(&c)}}, cluster.Source{Name: "idle", Connector: idle{}, Topic: "t", Tasks: tasks})
			time.Sleep(10 * time.Minute)
			open, goroutines = c.open.Load(), ownGoroutines()
		})
		return goroutines, open, time.Since(begin)
	}
	one, _, _ := run(1)
	many, open, took := run(tasks)
	t.Logf("%d tasks: %.2f goroutines for each, %d connections; start, ten minutes and end took %v, with the brokers", tasks, float64(many-one)/(tasks-1), open, took)
	if most := one + 4 + 2*(tasks-1); many > most {
		t.Errorf("%d goroutines, want at most %d: with one task there are %d", many, most, one)
	}
	if open == 0 || open > 32 {
		t.Errorf("%d connections, want at most 32", open)
	}
	if took > 10*time.Minute/20 {
		t.Errorf("ten minutes took %v, want at most a twentieth of a core", took)
	}
}
