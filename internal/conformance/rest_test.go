package conformance_test

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/plugin/file"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Every scenario is played against a worker with the configuration of its profile.
func TestREST(t *testing.T) {
	byProfile := make(map[string][]*members)
	for _, name := range conformance.Files(t, "rest/scenarios/*/*.json") {
		s := readScenario(t, name)
		for _, profile := range s.texts("profiles") {
			byProfile[profile] = append(byProfile[profile], s)
		}
	}
	for _, name := range conformance.Files(t, "rest/profiles/*.properties") {
		profile := strings.TrimSuffix(filepath.Base(name), ".properties")
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			w := startWorker(t, profile, name)
			for _, s := range byProfile[profile] {
				t.Run(s.text("id"), func(t *testing.T) {
					p := &player{expected{values: w.values()}, w.addr, w.admin}
					p.play(t, s)
				})
			}
		})
	}
}

func readScenario(t *testing.T, name string) *members {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseJSON(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s, ok := v.(*members)
	if !ok {
		t.Fatalf("%s is no scenario", name)
	}
	return s
}

// restWorker is a worker that runs in the test.
type restWorker struct {
	addr, admin, dir, bootstrap string
	run                         int
}

// values are what the tokens stand for. Each scenario is a run of its own.
func (w *restWorker) values() map[string]string {
	w.run++
	return map[string]string{
		"<url>": "http://" + w.addr, "<admin-url>": "http://" + w.admin, "<worker>": w.addr, "<dir>": w.dir, "<bootstrap>": w.bootstrap,
		"<run>": "r" + time.Now().Format("150405.000000")[7:] + strings.Repeat("x", w.run%7),
	}
}

func startWorker(t *testing.T, profile, properties string) *restWorker {
	k := kafkatest.New(t, kafkatest.Kfake(kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(1)))
	w := &restWorker{addr: freeAddr(t), admin: freeAddr(t), dir: t.TempDir(), bootstrap: k.Addrs()[0]}
	text, err := os.ReadFile(properties)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(w.addr)
	_, adminPort, _ := net.SplitHostPort(w.admin)
	filled := strings.NewReplacer("<port>", port, "<admin-port>", adminPort, "<bootstrap>", w.bootstrap, "<dir>", w.dir).Replace(string(text))
	path := filepath.Join(w.dir, "worker.properties")
	if err := os.WriteFile(path, []byte(filled), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := cluster.LoadProperties(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := cluster.ConfigFromWorker(settings)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Client = k.ClientOpts()
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.Plugins = new(connect.Registry).MustAdd(file.Plugins()...)
	cfg.Plugins.MustAdd(mirror.Plugins(mirror.Options{Client: func(string) []kgo.Opt { return k.ClientOpts() }})...)
	cfg.Authenticate = nil
	if settings["rest.extension.classes"] != "" {
		cfg.Authenticate = func(user, password string) bool {
			return map[string]string{"alice": "secret", "bob": "p%3A:w"}[user] == password && password != ""
		}
	}
	if strings.HasPrefix(string(text), "# mode: standalone") {
		cfg.Coordinator, cfg.Offsets = cluster.Standalone(), &offsets.File{Path: settings["offset.storage.file.filename"]}
	}
	rt, err := cluster.New(cluster.KafkaConnectDefaults(cfg))
	if err != nil {
		t.Fatal(err)
	}
	break1 := faults[profile]
	if break1 != nil && profile != "health-unhealthy" {
		break1(k)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- rt.ListenAndServe(ctx) }()
	go func() { ended <- rt.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil && break1 == nil {
				t.Errorf("the worker: %v", err)
			}
		}
	})
	awaitWorker(t, w, break1 == nil || profile == "health-unhealthy")
	if profile == "health-unhealthy" {
		break1(k)
	}
	return w
}

// faults are what is wrong with Kafka where a profile is about that.
var faults = map[string]func(*kafkatest.Cluster){
	// No topic can be created.
	"health-starting": func(k *kafkatest.Cluster) {
		k.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
			k.KeepControl()
			resp := r.ResponseKind().(*kmsg.CreateTopicsResponse)
			for _, topic := range r.(*kmsg.CreateTopicsRequest).Topics {
				failed := kmsg.NewCreateTopicsResponseTopic()
				failed.Topic, failed.ErrorCode = topic.Topic, kerr.RequestTimedOut.Code
				resp.Topics = append(resp.Topics, failed)
			}
			return resp, nil, true
		})
	},
	// Groups have no coordinator.
	"health-no-coordinator": func(k *kafkatest.Cluster) {
		k.ControlKey(int16(kmsg.FindCoordinator), func(r kmsg.Request) (kmsg.Response, error, bool) {
			k.KeepControl()
			resp := r.ResponseKind().(*kmsg.FindCoordinatorResponse)
			resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
			for _, key := range r.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
				failed := kmsg.NewFindCoordinatorResponseCoordinator()
				failed.Key, failed.ErrorCode = key, kerr.CoordinatorNotAvailable.Code
				resp.Coordinators = append(resp.Coordinators, failed)
			}
			return resp, nil, true
		})
	},
	// The broker is gone.
	"health-unhealthy": func(k *kafkatest.Cluster) { k.Close() },
}

// awaitWorker waits until the worker answers, and is healthy if it can be.
func awaitWorker(t *testing.T, w *restWorker, healthy bool) {
	path := "/none"
	if healthy {
		path = "/connectors/none/topics"
	}
	p := &player{expected{values: nil}, w.addr, w.admin}
	for end := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		r, err := p.send(&members{[]string{"method", "path"}, []any{"GET", path}}, "")
		if err == nil && (!healthy || r.status != 503) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the worker does not answer: %v, %v", r, err)
		}
	}
	if !healthy {
		return
	}
	r, err := p.send(&members{[]string{"method", "path"}, []any{"GET", "/"}}, "")
	if err != nil || r.status/100 > 4 {
		t.Fatalf("the worker is not ready: %v, %v", r, err)
	}
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
