package shop

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/connecttest/kafkatest"
)

// memory is a database in memory: orders by tenant.
type memory map[Tenant][]string

func (m memory) Tenants(context.Context) (tenants []Tenant, err error) {
	for t := range m {
		tenants = append(tenants, t)
	}
	return tenants, nil
}

func (m memory) Orders(ctx context.Context, t Tenant, row int64) iter.Seq2[Order, error] {
	return func(yield func(Order, error) bool) {
		for ; row < int64(len(m[t])); row++ {
			if !yield(Order{row, m[t][row]}, nil) {
				return
			}
		}
		<-ctx.Done()
	}
}

func TestOrders(t *testing.T) {
	db := memory{{"ann"}: {"a1", "a2"}, {"bob"}: {"b1"}}
	run := connecttest.RunSource(t, Orders(db), connect.Config{"topic": "orders", "tasks.max": "4"})
	run.Take(3)
	run.Stop()
	db[Tenant{"bob"}] = append(db[Tenant{"bob"}], "b2")
	run.Start() // goes on from the stored offsets
	if r := run.Take(1)[0]; r.Key != "bob" || r.Value != "b2" {
		t.Errorf("after a restart: %v %v", r.Key, r.Value)
	}
}

func TestMaskCards(t *testing.T) {
	got := connecttest.Apply(t, MaskCards, &connect.Record{Value: "paid by 1234-5678-9012-3456"})
	if got[0].Value != "paid by ****" {
		t.Errorf("got %q", got[0].Value)
	}
}

func TestOrdersInKafka(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory{{"ann"}: {"a1", "a2", "a3"}}
		k := kafkatest.New(t)
		k.Run(cluster.Config{}, cluster.Source{Name: "orders", Connector: Orders(db), Topic: "orders"})
		for i, r := range k.Await("orders", 3) {
			if string(r.Key) != "ann" || string(r.Value) != db[Tenant{"ann"}][i] {
				t.Errorf("record %d: %s %s", i, r.Key, r.Value)
			}
		}
	})
}

func TestFailOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory{{"ann"}: {"a1", "a2", "a3"}, {"bob"}: {"b1", "b2"}}
		c := kafkatest.NewCluster(t, 3, cluster.Source{Name: "orders", Connector: Orders(db), Topic: "orders", Tasks: 2})
		c.Await("orders", 5)
		c.Advance(2 * time.Minute) // offsets are stored once a minute
		c.Kill(c.Owner("orders", 0))
		c.AwaitRunning("orders") // minutes later, on the test's clock
		c.WantTopic("orders", "a1", "a2", "a3", "b1", "b2")
	})
}

// TestTogether runs what Run does, against a Kafka in memory.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		k := kafkatest.New(t)
		_, stop := k.Run(cluster.Config{},
			cluster.Source{Name: "orders", Connector: Orders(memory{{"ann"}: {"card 1234-5678-9012-3456"}}), Topic: "orders", Tasks: 4},
			cluster.Sink{Name: "audit", Connector: Audit(log), Topics: []string{"orders"}, Transforms: []connect.Transformation{MaskCards}})
		time.Sleep(time.Hour)
		stop()
		if n := strings.Count(out.String(), "msg=order"); n != 1 || !strings.Contains(out.String(), `order="card ****"`) {
			t.Errorf("audit log:\n%s", out.String())
		}
		if got := k.Records("orders"); len(got) != 1 || !slices.Equal(got[0].Value, []byte("card 1234-5678-9012-3456")) {
			t.Errorf("topic has %v", got)
		}
	})
}

// TestRunNeedsABroker runs Run without one.
func TestRunNeedsABroker(t *testing.T) {
	if err := Run(t.Context(), nil, memory{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "Brokers is empty") {
		t.Errorf("error %v", err)
	}
}
