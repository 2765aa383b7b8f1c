package mirrormaker_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/cluster/mirrormaker"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clusters are Kafka clusters in memory, by their aliases.
type clusters map[string]*kafkatest.Cluster

// flows returns flows between the clusters, by a file with these further properties.
func (c clusters) flows(t testing.TB, more connect.Config) *mirror.Flows {
	t.Helper()
	props := connect.Config{
		"clusters":           strings.Join(slices.Sorted(maps.Keys(c)), ", "),
		"replication.factor": "1", "offset-syncs.topic.replication.factor": "1", "checkpoints.topic.replication.factor": "1", "heartbeats.topic.replication.factor": "1",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
		"refresh.topics.interval.seconds": "5", "refresh.groups.interval.seconds": "5", "emit.checkpoints.interval.seconds": "5",
	}
	for alias, k := range c {
		props[alias+".bootstrap.servers"] = k.Addrs()[0]
		props[alias+".offset.flush.interval.ms"] = "1000"
		props[alias+".offset.storage.partitions"] = "1"
	}
	maps.Copy(props, more)
	flows, err := mirror.Options{Client: func(alias string) []kgo.Opt { return c[alias].ClientOpts() }}.ParseFlows(props)
	if err != nil {
		t.Fatal(err)
	}
	return flows
}

// start runs flows until the test ends or stop is called.
func start(t testing.TB, cfg mirrormaker.Config) (m *mirrormaker.Maker, stop func()) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	m, err := mirrormaker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the maker: %v", err)
		}
	})
	t.Cleanup(stop)
	return m, stop
}

// await waits until a topic has n records.
func await(t testing.TB, k *kafkatest.Cluster, topic string, n int) {
	t.Helper()
	size := func() (size int64) {
		if k.TopicInfo(topic) == nil {
			return 0
		}
		for _, p := range k.PartitionInfos(topic) {
			size += p.HighWatermark
		}
		return size
	}
	for end := time.Now().Add(2 * time.Minute); size() < int64(n); <-time.After(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("topic %s has %d records, want %d", topic, size(), n)
		}
	}
}

func produce(k *kafkatest.Cluster, topic string, n int) {
	for i := range n {
		k.Produce(&kgo.Record{Topic: topic, Partition: int32(i % 3), Value: fmt.Appendf(nil, "%d", i)})
	}
}

func TestFlowsInBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clusters{"A": kafkatest.New(t), "B": kafkatest.New(t)}
		for alias, k := range c {
			k.MustCreateTopic("orders", 3)
			produce(k, "orders", map[string]int{"A": 10, "B": 20}[alias])
		}
		start(t, mirrormaker.Config{Flows: c.flows(t, connect.Config{"A->B.enabled": "true", "B->A.enabled": "true"})})
		await(t, c["B"], "A.orders", 10)
		await(t, c["A"], "B.orders", 20)
		await(t, c["B"], "A.heartbeats", 2)
		await(t, c["A"], "B.heartbeats", 2)

		produce(c["A"], "orders", 5)
		await(t, c["B"], "A.orders", 15)
		for alias, k := range c {
			for _, topic := range []string{"A.A.orders", "B.B.orders", "A.B.orders", "B.A.orders"} {
				if k.TopicInfo(topic) != nil {
					t.Errorf("%s has %s: it goes round in circles", alias, topic)
				}
			}
		}
	})
}

// With one flow the other direction has a worker for heartbeats alone.
func TestOneDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clusters{"A": kafkatest.New(t), "B": kafkatest.New(t)}
		c["A"].MustCreateTopic("orders", 3)
		c["B"].MustCreateTopic("orders", 3)
		produce(c["A"], "orders", 10)
		produce(c["B"], "orders", 10)
		m, _ := start(t, mirrormaker.Config{Flows: c.flows(t, connect.Config{"A->B.enabled": "true", "A->B.topics": "orders"})})
		if got := fmt.Sprint(m.Flows()); got != "[A->B B->A]" {
			t.Errorf("flows %s", got)
		}
		await(t, c["B"], "A.orders", 10)
		await(t, c["A"], "heartbeats", 3)   // by B->A
		await(t, c["B"], "A.heartbeats", 3) // copied by A->B
		if c["A"].TopicInfo("B.orders") != nil {
			t.Error("a flow that is not enabled copies")
		}
		status, err := m.Runtime(mirror.Flow{Source: "A", Target: "B"}).Status(t.Context(), "MirrorSourceConnector")
		if err != nil || len(status.Tasks) != 1 {
			t.Errorf("status %+v, %v", status, err)
		}
	})
}

// Several processes share the work; what one did goes on in the other.
func TestProcessesShareFlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clusters{"A": kafkatest.New(t), "B": kafkatest.New(t)}
		c["A"].MustCreateTopic("orders", 3)
		produce(c["A"], "orders", 30)
		props := connect.Config{"A->B.enabled": "true", "emit.heartbeats.enabled": "false", "A->B.tasks.max": "3", "A->B.topics": "orders"}
		flow := mirror.Flow{Source: "A", Target: "B"}
		one, stop := start(t, mirrormaker.Config{Flows: c.flows(t, props)})
		two, _ := start(t, mirrormaker.Config{Flows: c.flows(t, props)})
		await(t, c["B"], "A.orders", 30)
		workers := func() int {
			ids := map[string]bool{}
			rt := two.Runtime(flow)
			if rt == nil {
				return 0
			}
			status, err := rt.Status(t.Context(), "MirrorSourceConnector")
			for _, task := range status.Tasks {
				if task.State == cluster.Running {
					ids[task.Worker] = true
				}
			}
			if err != nil || len(status.Tasks) != 3 {
				return 0
			}
			return len(ids)
		}
		for end := time.Now().Add(time.Minute); workers() != 2; <-time.After(100 * time.Millisecond) {
			if time.Now().After(end) {
				status, err := two.Runtime(flow).Status(t.Context(), "MirrorSourceConnector")
				t.Fatalf("tasks run on %d instances: %+v, %v", workers(), status, err)
			}
		}
		if one.Runtime(flow) == nil {
			t.Error("the first has no worker")
		}
		stop()
		produce(c["A"], "orders", 30)
		await(t, c["B"], "A.orders", 60)
		if n := len(c["B"].Records("A.orders")); n != 60 {
			t.Errorf("%d records, want 60: one that stops has stored its offsets", n)
		}
	})
}

func TestClustersLimitFlows(t *testing.T) {
	k := clusters{"A": nil, "B": nil, "C": nil}
	props := connect.Config{"clusters": "A,B,C"}
	for alias := range k {
		props[alias+".bootstrap.servers"] = "localhost:1"
	}
	flows, err := mirror.Options{}.ParseFlows(props)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		clusters []string
		want     string
	}{
		{nil, "[A->B A->C B->A B->C C->A C->B]"},
		{[]string{"C"}, "[A->C B->C]"},
		{[]string{"B", "C"}, "[A->B A->C B->C C->B]"},
	} {
		m, err := mirrormaker.New(mirrormaker.Config{Flows: flows, Clusters: tt.clusters})
		if err != nil || fmt.Sprint(m.Flows()) != tt.want {
			t.Errorf("into %v: %v, %v, want %s", tt.clusters, m, err, tt.want)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	parse := func(props connect.Config) *mirror.Flows {
		flows, err := mirror.Options{}.ParseFlows(props)
		if err != nil {
			t.Fatal(err)
		}
		return flows
	}
	two := connect.Config{"clusters": "A,B", "A.bootstrap.servers": "a:1", "B.bootstrap.servers": "b:1"}
	for _, tt := range []struct {
		cfg  mirrormaker.Config
		want string
	}{
		{mirrormaker.Config{}, "Flows is nil"},
		{mirrormaker.Config{Flows: parse(two), Clusters: []string{"D"}}, `"D", which is none of the clusters`},
		{mirrormaker.Config{Flows: parse(connect.Config{"clusters": "A"})}, "nothing flows"},
		{mirrormaker.Config{Flows: parse(connect.Config{"clusters": "A,B", "emit.heartbeats.enabled": "false"})}, "nothing flows"},
	} {
		if _, err := mirrormaker.New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	for name, props := range map[string]connect.Config{
		"flow A->B: Missing required configuration \"bootstrap.servers\"": {"clusters": "A,B", "emit.heartbeats.enabled": "false", "A->B.enabled": "true"},
		"listeners": {"clusters": "A,B", "A.bootstrap.servers": "a:1", "B.bootstrap.servers": "b:1", "dedicated.mode.enable.internal.rest": "true", "listeners": "ftp://x:1"},
	} {
		flows, err := mirror.Options{}.ParseFlows(props)
		if err == nil {
			var m *mirrormaker.Maker
			if m, err = mirrormaker.New(mirrormaker.Config{Flows: flows}); err == nil {
				err = m.Run(t.Context())
			}
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

// A cluster that can't be reached keeps its own flows waiting, and is tried again.
func TestTargetThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clusters{"A": kafkatest.New(t), "B": kafkatest.New(t)}
		c["A"].MustCreateTopic("orders", 3)
		produce(c["A"], "orders", 10)
		link := c["B"].NewLink()
		link.Cut()
		time.AfterFunc(10*time.Minute, link.Heal)
		flows := c.flows(t, connect.Config{"A->B.enabled": "true", "A->B.topics": "orders"})
		start(t, mirrormaker.Config{Flows: flows, Worker: func(flow mirror.Flow, cfg *cluster.Config) {
			if flow.Target == "B" {
				cfg.Client = link.ClientOpts()
			}
		}})
		await(t, c["A"], "heartbeats", 3) // by the worker on A
		time.Sleep(11 * time.Minute)
		await(t, c["B"], "A.orders", 10)
	})
}

func TestHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clusters{"A": kafkatest.New(t), "B/b": kafkatest.New(t)}
		m, _ := start(t, mirrormaker.Config{
			URL:   "http://127.0.0.1:1/",
			Flows: c.flows(t, connect.Config{"A->B/b.enabled": "true", "dedicated.mode.enable.internal.rest": "true", "emit.heartbeats.enabled": "false"}),
		})
		await(t, c["B/b"], "mm2-status.A.internal", 1)
		for _, tt := range []struct {
			method, path string
			status       int
			body         string
		}{
			{http.MethodPost, "/A/B%2Fb/connectors/MirrorSourceConnector/tasks", http.StatusBadRequest, "Internal request missing required signature"},
			{http.MethodPut, "/A/B%2Fb/connectors/MirrorSourceConnector/fence", http.StatusBadRequest, "Internal request missing required signature"},
			{http.MethodPost, "/A/C%20c/connectors/MirrorSourceConnector/tasks", http.StatusNotFound, `{"error_code":404,"message":"No replication flow found for source 'A' and target 'C c'"}`},
			{http.MethodGet, "/A/B%2Fb/connectors", http.StatusNotFound, ""},
			{http.MethodDelete, "/A/B%2Fb/connectors/MirrorSourceConnector", http.StatusNotFound, ""},
			{http.MethodGet, "/", http.StatusNotFound, ""},
			{http.MethodPost, "/A/%zz/connectors/x/tasks", http.StatusNotFound, ""},
		} {
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "http://127.0.0.1:1/", strings.NewReader("[]"))
			r.URL.Path, r.URL.RawPath = "/", tt.path
			if u, err := r.URL.Parse(tt.path); err == nil {
				r.URL = u
			}
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			m.Handler().ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != tt.status || !strings.Contains(string(body), tt.body) || tt.body == "" && len(body) > 0 {
				t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, w.Code, body, tt.status, tt.body)
			}
		}
	})
}
