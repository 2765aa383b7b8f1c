package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/offsets"
)

// vault is a config provider whose values have a life of ttl by path.
type vault struct {
	ttls map[string]time.Duration
	err  error
}

func (v vault) Get(_ context.Context, path string, keys []string) (connect.ConfigData, error) {
	data := connect.ConfigData{Values: make(map[string]string)}
	for _, key := range keys {
		data.Values[key] = "s3cret-" + key
	}
	data.TTL, data.HasTTL = v.ttls[path]
	return data, v.err
}

// probe is a source that writes down the starts of its connector and tasks.
type probe struct {
	mu     sync.Mutex
	starts []string
	begun  time.Time
	cfg    connect.Config
	tasks  func(cfg connect.Config) connect.Config
	fail   func(cfg connect.Config) error
}

func (p *probe) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starts = append(p.starts, fmt.Sprint(what, "@", time.Since(p.begun).Truncate(time.Second)))
}

func (p *probe) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.starts, " ")
}

func (p *probe) Start(_ context.Context, cc connect.ConnectorContext, cfg connect.Config) error {
	p.note("connector")
	p.cfg = cfg
	cc.Info().Logger.Info("log in with "+cfg["password"], "url", "db://"+cfg["password"], "cfg", cfg)
	return nil
}
func (p *probe) Stop(context.Context) error { return nil }
func (p *probe) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	cfg := maps.Clone(p.cfg)
	if p.tasks != nil {
		cfg = p.tasks(cfg)
	}
	return []connect.Config{cfg}, nil
}
func (p *probe) NewTask() connect.SourceTask { return &probeTask{p} }

type probeTask struct{ *probe }

func (t *probeTask) Start(_ context.Context, _ connect.SourceTaskContext, cfg connect.Config) error {
	t.note("task:" + cfg["password"] + cfg["url"])
	if t.fail != nil {
		return t.fail(cfg)
	}
	return nil
}
func (t *probeTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	<-ctx.Done()
	return nil, nil
}

func TestReload(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  connect.Config
		ttls map[string]time.Duration
		want string
	}{
		// The connector alone is restarted: its tasks do not change.
		{"restart", connect.Config{}, map[string]time.Duration{"db": 50 * time.Second},
			"connector@0s task:s3cret-pw@0s connector@50s connector@1m40s"},
		{"none", connect.Config{"config.action.reload": "none"}, map[string]time.Duration{"db": 50 * time.Second}, "connector@0s task:s3cret-pw@0s"},
		{"no life", connect.Config{}, nil, "connector@0s task:s3cret-pw@0s"},
		// The restart for the one path plans that for the other anew.
		{"two paths", connect.Config{"other": "${vault:other:x}"}, map[string]time.Duration{"db": 50 * time.Second, "other": 70 * time.Second},
			"connector@0s task:s3cret-pw@0s connector@50s connector@1m40s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &probe{begun: time.Now()}
				tt.cfg["password"] = "${vault:db:pw}"
				start(t, kafkatest.New(t), cluster.Config{Offsets: new(offsets.Memory), Providers: map[string]connect.ConfigProvider{"vault": vault{ttls: tt.ttls}}},
					cluster.Source{Name: "in", Connector: p, Config: tt.cfg})
				time.Sleep(119 * time.Second)
				synctest.Wait()
				if got := p.log(); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// buffer is a writer for logs.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func TestResolvedValuesStayInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		p := &probe{
			begun: time.Now(),
			tasks: func(cfg connect.Config) connect.Config {
				cfg["url"] = "db://user:" + cfg["password"] + "@host"
				return cfg
			},
			fail: func(cfg connect.Config) error { return connect.DataErrorf("can't log in with %s", cfg["password"]) },
		}
		var logs buffer
		rt, err := cluster.New(cluster.Config{
			Brokers: k.Addrs(), Client: k.ClientOpts(), GroupID: "test", Offsets: new(offsets.Memory),
			Providers: map[string]connect.ConfigProvider{"vault": vault{}}, Logger: slog.New(slog.NewJSONHandler(&logs, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		cfg := connect.Config{"password": "${vault:db:pw}"}
		if err := rt.Add(cluster.Source{Name: "in", Connector: p, Config: cfg}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- rt.Run(ctx) }()
		time.Sleep(time.Minute)

		if got := p.log(); got != "connector@0s task:s3cret-pwdb://user:s3cret-pw@host@0s" {
			t.Errorf("the plugin saw %s", got)
		}
		tasks, err := rt.Tasks(ctx, "in")
		if err != nil || len(tasks) != 1 {
			t.Fatalf("tasks %v, %v", tasks, err)
		}
		if tasks[0]["password"] != "${vault:db:pw}" || tasks[0]["url"] != "db://user:${vault:db:pw}@host" {
			t.Errorf("the stored task has %v", tasks[0])
		}
		status, err := rt.Status(ctx, "in")
		if err != nil || len(status.Tasks) != 1 || status.Tasks[0].State != cluster.Failed {
			t.Fatalf("status %+v, %v", status, err)
		}
		if text := status.Tasks[0].Err.Error(); !strings.Contains(text, "can't log in with ${vault:db:pw}") {
			t.Errorf("the task's error is %s", text)
		}
		if _, ok := errors.AsType[*connect.DataError](status.Tasks[0].Err); !ok {
			t.Errorf("the kind of the error was lost: %T", status.Tasks[0].Err)
		}
		given, err := rt.Connector(ctx, "in")
		if err != nil {
			t.Fatal(err)
		}
		given["tasks.max"] = "${vault:db:many}"
		values, err := rt.Validate(ctx, given)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(values); strings.Contains(text, "s3cret") || !strings.Contains(text, "Invalid value ${vault:db:many} for configuration tasks.max") {
			t.Errorf("the validation says %s", text)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		text := logs.String()
		if strings.Contains(text, "s3cret") || !strings.Contains(text, `"msg":"log in with ${vault:db:pw}","connector":"in","url":"db://${vault:db:pw}"`) {
			t.Errorf("the log says %s", text)
		}
	})
}

func TestWorkerIsResolved(t *testing.T) {
	base := cluster.Config{
		Brokers: []string{"nowhere:9092"}, GroupID: "g",
		Providers: map[string]connect.ConfigProvider{"vault": vault{}},
		Worker:    connect.Config{"offset.flush.interval.ms": "${vault:x:y}"},
	}
	if _, err := cluster.New(base); err == nil || !strings.Contains(err.Error(), "Invalid value ${vault:x:y} for configuration offset.flush.interval.ms") {
		t.Errorf("a value that is no number: %v", err)
	}
	base.Worker = connect.Config{"client.id": "${vault:x:y}"}
	if _, err := cluster.New(base); err != nil {
		t.Error(err)
	}
	base.Worker["config.providers"] = "vault"
	if _, err := cluster.New(base); err == nil || !strings.Contains(err.Error(), `both have a provider "vault"`) {
		t.Errorf("two providers of one name: %v", err)
	}
	base.Worker, base.Providers = nil, map[string]connect.ConfigProvider{"vault": vault{err: errors.New("sealed")}}
	base.Worker = connect.Config{"client.id": "${vault:x:y}"}
	if _, err := cluster.New(base); err == nil || !strings.Contains(err.Error(), "config provider vault: sealed") {
		t.Errorf("a provider that fails: %v", err)
	}
}

func TestSecretsOfTheWorkerStayInside(t *testing.T) {
	rt, err := cluster.New(cluster.Config{
		Brokers: []string{"nowhere:9092"}, GroupID: "g",
		Providers: map[string]connect.ConfigProvider{"vault": vault{}},
		Worker:    connect.Config{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "${vault:x:mechanism}"},
	})
	if err == nil {
		err = rt.Run(t.Context())
	}
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "${vault:x:mechanism}") {
		t.Errorf("the error is %v", err)
	}
}

// tagged is a source whose only task says which version of the plugin it is of.
func tagged(version string, made *[]string) connect.Plugin {
	return connect.SourcePlugin{
		PluginInfo: connect.PluginInfo{Class: "example.Versions", Version: version},
		New:        func() connect.SourceConnector { *made = append(*made, version); return &probe{begun: time.Now()} },
	}
}

func TestPluginVersions(t *testing.T) {
	var made []string
	upper := func(version string) connect.Plugin {
		return connect.TransformationPlugin{
			PluginInfo: connect.PluginInfo{Class: "example.Tag", Version: version},
			New: func(connect.Config) (connect.Transformation, error) {
				return connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
					r.Topic = version
					return r, nil
				}), nil
			},
		}
	}
	reg := new(connect.Registry).MustAdd(tagged("1.0", &made), tagged("2.0", &made), tagged("3.1", &made), upper("1.0"), upper("1.5"), upper("2.0"))
	rt, err := cluster.New(cluster.Config{Brokers: []string{"nowhere:9092"}, GroupID: "g", Plugins: reg})
	if err != nil {
		t.Fatal(err)
	}
	preview := func(cfg connect.Config) (string, error) {
		cfg["name"], cfg["connector.class"], cfg["transforms"], cfg["transforms.t.type"] = "v", "Versions", "t", "Tag"
		got, err := rt.PreviewSource(t.Context(), cfg, []connect.SourceRecord{{}})
		if err != nil {
			return "", err
		}
		return got[0][0].After.Topic, nil
	}
	for _, tt := range []struct{ want, version, err string }{
		{"", "2.0", ""}, // the last added
		{"[1.0,2.0)", "1.5", ""},
		{"1.0", "1.0", ""},
		{"(,1.2]", "1.0", ""},
		{"[7.0]", "", "Plugin example.Tag not found that matches the version range [7.0,7.0], available versions: [1.0, 1.5, 2.0]"},
	} {
		cfg := connect.Config{}
		if tt.want != "" {
			cfg["transforms.t.plugin.version"] = tt.want
		}
		got, err := preview(cfg)
		if got != tt.version || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("transforms.t.plugin.version=%s: got %q, %v", tt.want, got, err)
		}
	}
	if _, err := preview(connect.Config{"connector.plugin.version": "[9,)"}); err == nil || !strings.Contains(err.Error(), "available versions: [1.0, 2.0, 3.1]") {
		t.Errorf("connector.plugin.version: %v", err)
	}
	if _, err := preview(connect.Config{"value.converter": "JsonConverter", "value.converter.plugin.version": "1.0"}); err == nil || !strings.Contains(err.Error(), "JsonConverter") {
		t.Errorf("value.converter.plugin.version: %v", err)
	}
}
