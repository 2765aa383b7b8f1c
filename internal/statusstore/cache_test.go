package statusstore_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/statusstore"
)

func TestMemory(t *testing.T) {
	var events []string
	var m *statusstore.Memory
	m = statusstore.NewMemory(func(e statusstore.Event) {
		events = append(events, fmt.Sprintf("%d %t of %d", e.Task, e.Removed, len(m.Connectors()))) // a listener may look
	})
	must(t, m.Start(t.Context()))
	m.PutConnector("c", status(statusstore.Running, "a", 1), false)
	m.PutTask(task(3), status(statusstore.Running, "a", 1), false)
	m.PutTask(task(3), status(statusstore.Failed, "b", 0), true) // an older generation of another
	m.PutTask(task(3), status(statusstore.Failed, "a", 0), true)
	m.PutConnector("", status(statusstore.Running, "a", 1), false)
	m.PutConnector("c", status(statusstore.Destroyed, "a", 1), false)
	if want := []string{"-1 false of 1", "3 false of 1", "3 false of 1", "-1 true of 1"}; !slices.Equal(events, want) {
		t.Errorf("told %q, want %q", events, want)
	}
	if m.Connector("c") != nil || m.Task(task(3)) != nil {
		t.Error("not removed")
	}
}

func FuzzApply(f *testing.F) {
	for _, key := range []string{"status-connector-c", "status-task-c-0", "status-topic-t:connector-c", "status-topic-t:😀😀😀😀😀c", "x"} {
		for _, value := range []string{`{"state":"RUNNING","trace":null,"worker_id":"w","generation":1,"version":"v"}`, `{"state":"UNASSIGNED","generation":9223372036854775807}`,
			`{"topic":{"name":"t","connector":"c","task":1,"discoverTimestamp":2}}`, "", "[", `{"state":{}}`} {
			f.Add(key, []byte(value))
		}
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		c := statusstore.NewCache()
		event, err := c.Apply(key, value)
		if err != nil {
			if event != nil || len(c.Connectors()) != 0 {
				t.Fatalf("error %v, but something happened", err)
			}
			return
		}
		if event == nil {
			return
		}
		// What was read is written so that it is read alike.
		var put *statusstore.Put
		switch s := event.Status; {
		case event.Removed || event.Topic != nil || s.State == statusstore.Destroyed:
			return
		case event.Task < 0:
			put = c.PutConnector(event.Connector, *s, false)
		default:
			put = c.PutTask(connect.TaskID{Connector: event.Connector, Task: event.Task}, *s, false)
		}
		again, err := statusstore.NewCache().Apply(put.Record.Key, put.Record.Value)
		if err != nil || again.Status.State != event.Status.State || again.Status.Generation != event.Status.Generation {
			t.Fatalf("%s=%s: %+v, error %v", put.Record.Key, put.Record.Value, again, err)
		}
	})
}

// BenchmarkReplay is one start on a topic of 100,000 statuses.
func BenchmarkReplay(b *testing.B) {
	value := []byte(`{"state":"RUNNING","trace":null,"worker_id":"10.0.0.1:8083","generation":3,"version":"1.0"}`)
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("status-task-connector-%d-%d", i%1000, i%10)
	}
	b.ReportAllocs()
	for b.Loop() {
		c := statusstore.NewCache()
		for _, key := range keys {
			if _, err := c.Apply(key, value); err != nil {
				b.Fatal(err)
			}
		}
	}
}
