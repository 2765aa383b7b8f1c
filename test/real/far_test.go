//go:build real

package real

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// far is a dialer of connections that take so long there and back, however much is on its way.
func far(way time.Duration) kgo.Opt {
	return kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case <-time.After(way):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		there, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		here, end := net.Pipe()
		go carry(end, there, way/2)
		go carry(there, end, way/2)
		return here, nil
	})
}

// carry moves bytes, each of which takes so long, until one of the ends is closed.
func carry(from, to net.Conn, late time.Duration) {
	type bytes struct {
		b  []byte
		at time.Time
	}
	way := make(chan bytes, 10_000)
	go func() {
		defer close(way)
		for {
			b := make([]byte, 64<<10)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			way <- bytes{b[:n], time.Now().Add(late)}
		}
	}()
	for b := range way {
		<-time.After(time.Until(b.at))
		if _, err := to.Write(b.b); err != nil {
			break
		}
	}
	from.Close()
	to.Close()
	for range way {
	}
}

// A backlog in a partition whose batches are not large comes to a cluster far away about as fast as if all of it were decoded: forwarded, it
// would take tens of times as long.
func TestMirrorFarAway(t *testing.T) {
	const (
		records, each = 40_000, 500
		way           = 20 * time.Millisecond
	)
	lap := laps(t)
	a, b := twoClusters(t)
	createTopic(t, a, "orders", 1)
	load := client(t, a, kgo.DefaultProduceTopic("orders"), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(32<<10), kgo.ProducerLinger(100*time.Millisecond))
	random := rand.New(rand.NewPCG(1, 2))
	for range records {
		value := make([]byte, each)
		for i := range value {
			value[i] = byte(random.Uint32())
		}
		load.Produce(t.Context(), &kgo.Record{Value: value}, nil)
	}
	if err := load.Flush(testContext(t)); err != nil {
		t.Fatal(err)
	}
	lap("brokers and a backlog")
	decoded := copyFar(t, a, b, "decoded", way, records, "forward.batches.enabled", "false")
	lap("decoded")
	asIs := copyFar(t, a, b, "asis", way, records)
	lap("as the mirror chooses")
	t.Logf("as the mirror chooses %v, decoded %v", asIs, decoded)
	if asIs > 2*decoded+3*time.Second { // ten seconds more, if it were forwarded
		t.Error("it has not chosen well")
	}
}

// copyFar returns how long it takes from the first record of orders on the far cluster b to the last.
func copyFar(t *testing.T, a, b *kafka.Cluster, alias string, way time.Duration, records int, more ...string) time.Duration {
	t.Helper()
	options := mirror.Options{Client: func(cluster string) []kgo.Opt {
		if cluster == "B" {
			return []kgo.Opt{far(way)}
		}
		return nil
	}}
	rt, err := cluster.New(cluster.Config{
		Brokers: b.Addrs(), GroupID: alias, Client: []kgo.Opt{far(way)}, Coordinator: cluster.Standalone(), Offsets: new(offsets.Memory), Logger: slog.New(slog.DiscardHandler),
		Plugins: new(connect.Registry).MustAdd(mirror.Plugins(options)...),
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := connect.Config(mirrorOf(a, b, "MirrorSourceConnector"))
	delete(cfg, "name")
	cfg["source.cluster.alias"] = alias
	for i := 0; i < len(more); i += 2 {
		cfg[more[i]] = more[i+1]
	}
	if err := rt.Add(cluster.Configured{Name: alias, Config: cfg}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()
	adm := kadm.NewClient(client(t, b))
	await(t, "the first records", func() bool { return endOffsets(b, adm, alias+".orders") > 0 })
	began := time.Now()
	await(t, "the last records", func() bool { return endOffsets(b, adm, alias+".orders") >= records })
	took := time.Since(began)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return took
}
