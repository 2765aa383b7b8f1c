package conformance_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest/kafkatest"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/logging"
	"github.com/gokconnect/connect/internal/metrics"
	"github.com/gokconnect/connect/internal/metrics/metricstest"
	"github.com/gokconnect/connect/plugin/file"
)

// mbean is a recorded MBean. An attribute is its Java type, and its value where that is a text.
type mbean struct {
	Domain     string
	Properties map[string]string
	Attributes map[string][]string
}

func (b *mbean) group() metrics.Group { return metrics.Group(b.Properties["type"]) }

// tags are the properties that tell MBeans of a type apart.
func (b *mbean) tags() map[string]string {
	tags := maps.Clone(b.Properties)
	delete(tags, "type")
	return tags
}

// skip says why an MBean has no counterpart, or "".
func (b *mbean) skip() string {
	switch _, old := b.Properties["id"]; {
	case b.Domain != "kafka.connect":
		return "metric of a Java client: franz-go's hooks are for its own"
	case b.group() == "connect-metrics" || b.group() == "connect-node-metrics" || b.group() == metrics.Count && len(b.tags()) > 0:
		return "metric of the group's Java client: franz-go's hooks are for its own"
	case b.group() == metrics.AppInfo && old:
		return "second form of app-info, which is there once"
	}
	return ""
}

// text reports whether the attribute is one.
func text(java []string) bool { return java[0] == "String" || java[0] == "ConnectorType" }

// TestMBeans runs connectors like those of the recorded workers, and compares what is measured: each group has the same
// attributes with the same tags, no more and no less, and texts say the same.
func TestMBeans(t *testing.T) {
	for _, path := range conformance.Files(t, "control/metrics-*.jsonl") {
		cases := conformance.Load(t, path)
		var beans []*mbean
		for _, c := range cases {
			b := new(mbean)
			if json.Unmarshal(c.Out, b) == nil && b.Domain != "" && b.skip() == "" {
				beans = append(beans, b)
			}
		}
		points := measureLike(t, beans)
		for _, c := range cases {
			t.Run(c.ID, func(t *testing.T) {
				var b mbean
				switch {
				case strings.HasPrefix(c.ID, "control.threads."):
					t.Skip("threads of Java's virtual machine")
				case strings.HasPrefix(c.ID, "control.log-context."):
					sameLogContext(t, c.Out)
				case json.Unmarshal(c.Out, &b) != nil || b.Domain == "":
					t.Fatalf("not an MBean: %s", c.Out)
				case b.skip() != "":
					t.Skip(b.skip())
				default:
					sameMBean(t, &b, points)
				}
			})
		}
	}
}

// measureLike runs connectors like the recorded ones on one instance, and returns what is measured when all of them run.
func measureLike(t *testing.T, beans []*mbean) (points []metricstest.Point) {
	dir := t.TempDir()
	worker := connect.Config{"client.id": "connect-1"}
	connectors := map[string]*cluster.Configured{}
	tasks := map[connect.TaskID]bool{}
	for _, b := range beans {
		name := b.Properties["connector"]
		if name == "" {
			continue
		}
		c := connectors[name]
		if c == nil {
			c = &cluster.Configured{Name: name, Config: connect.Config{"tasks.max": "1"}}
			connectors[name] = c
		}
		if task, err := strconv.Atoi(b.Properties["task"]); err == nil {
			tasks[connect.TaskID{Connector: name, Task: task}] = true
			if most, _ := strconv.Atoi(c.Config["tasks.max"]); task >= most {
				c.Config["tasks.max"] = strconv.Itoa(task + 1)
			}
		}
		likeMBean(c.Config, b)
		if _, ok := b.Attributes["transaction-size-max"]; ok {
			worker["exactly.once.source.support"] = "enabled"
		}
		if b.group() == metrics.Connector {
			path := filepath.Join(dir, name)
			if c.Config["file"] = path; b.Attributes["connector-type"][1] == "source" {
				c.Config["topic"] = "t"
				if err := os.WriteFile(path, []byte("line\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				c.Config["topics"] = "t"
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.CreateTopic("t", 4)
		p := new(metricstest.Provider)
		var declared []cluster.Declaration
		for _, name := range slices.Sorted(maps.Keys(connectors)) {
			declared = append(declared, *connectors[name])
		}
		k.Run(cluster.KafkaConnectDefaults(cluster.Config{MeterProvider: p, Worker: worker, URL: "http://127.0.0.1:1/", Plugins: new(connect.Registry).MustAdd(file.Plugins()...)}), declared...)
		time.Sleep(30 * time.Second)
		points = p.Collect()
	})
	for id := range tasks {
		if !slices.ContainsFunc(points, func(p metricstest.Point) bool {
			return p.Name == "kafka.connect.connector-task.status" && p.Attributes["status"] == "running" &&
				p.Attributes["connector"] == id.Connector && p.Attributes["task"] == strconv.Itoa(id.Task)
		}) {
			t.Errorf("task %v does not run", id)
		}
	}
	return points
}

// likeMBean adds to a connector's configuration what makes such an MBean.
func likeMBean(cfg connect.Config, b *mbean) {
	class := func(attribute string) string { return b.Attributes[attribute][1] }
	add := func(list, alias string, more connect.Config) {
		if cfg[list] != "" {
			alias = cfg[list] + "," + alias
		}
		cfg[list] = alias
		maps.Copy(cfg, more)
	}
	switch b.group() {
	case metrics.Connector:
		cfg["connector.class"] = class("connector-class")
	case metrics.TaskGroup:
		for _, of := range []string{"key", "value", "header"} {
			cfg[of+".converter"] = class(of + "-converter-class")
		}
	case metrics.Transform:
		alias := b.Properties["transform"]
		if !slices.Contains(strings.Split(cfg["transforms"], ","), alias) {
			in := "transforms." + alias + "."
			add("transforms", alias, connect.Config{in + "type": class("transform-class"), in + "field": "f", in + "static.field": "s", in + "static.value": "v"})
		}
	case metrics.Predicate:
		alias := b.Properties["predicate"]
		if !slices.Contains(strings.Split(cfg["predicates"], ","), alias) {
			in := "predicates." + alias + "."
			add("predicates", alias, connect.Config{in + "type": class("predicate-class"), in + "pattern": ".*", in + "name": "n"})
		}
	}
}

// sameMBean compares one MBean with what is measured.
func sameMBean(t *testing.T, b *mbean, points []metricstest.Point) {
	want := b.tags()
	ours := map[string]metricstest.Point{} // by the name of the attribute
	for _, p := range points {
		name, ok := strings.CutPrefix(p.Name, "kafka.connect."+b.group().OTel()+".")
		if !ok {
			continue
		}
		tags := maps.Clone(p.Attributes)
		delete(tags, name) // the text itself
		switch id, ok := tags["client-id"]; {
		case ok && id != "connect-1":
			t.Errorf("%s: client-id %q", p.Name, id)
		case ok && want["client-id"] != "": // ours is another
			tags["client-id"] = want["client-id"]
		case ok && b.group() == metrics.AppInfo: // one MBean of three lacks it
			delete(tags, "client-id")
		}
		if maps.Equal(tags, want) {
			ours[name] = p
		}
	}
	for name, java := range b.Attributes {
		p, ok := ours[name]
		if !ok {
			t.Errorf("no %s of %v", name, b.Properties)
			continue
		}
		value, isText := p.Attributes[name]
		if isText != text(java) {
			t.Errorf("%s is a text: %v, want %v", name, isText, text(java))
		}
		if isText && len(java) > 1 && value != java[1] {
			t.Errorf("%s is %q, want %q", name, value, java[1])
		}
	}
	for name := range ours {
		d := definitionOf(b.group(), name)
		if _, ok := b.Attributes[name]; !ok && !d.Ours && name != "sink-record-lag-max" { // which Java documents alone
			t.Errorf("%s of %v is more than Java has", name, b.Properties)
		}
	}
}

func definitionOf(g metrics.Group, name string) *metrics.Definition {
	for i := range metrics.Definitions {
		if d := &metrics.Definitions[i]; d.Group == g && d.Name == name {
			return d
		}
	}
	return new(metrics.Definition)
}

// sameLogContext compares the text that says in logs what a message is about.
func sameLogContext(t *testing.T, out json.RawMessage) {
	var log struct{ Context string }
	decodeCase(t, out, &log)
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(log.Context, "["), "] "), "|")
	got := logging.ConnectorContext(parts[0])
	if number, ok := strings.CutPrefix(parts[1], "task-"); ok {
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("%q: %v", log.Context, err)
		}
		got = logging.TaskContext(connect.TaskID{Connector: parts[0], Task: n}, len(parts) > 2)
	}
	if got != log.Context {
		t.Errorf("got %q, want %q", got, log.Context)
	}
}
