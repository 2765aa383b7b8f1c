package configstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/herder"
)

func TestMemory(t *testing.T) {
	var events []string
	var m *configstore.Memory
	m = configstore.NewMemory(func(e configstore.Event) {
		events = append(events, fmt.Sprintf("%T of %d", e, len(m.Snapshot().Connectors))) // a listener may look
	})
	ctx := t.Context()
	must(t, m.Start(ctx))
	must(t, m.PutConnector(ctx, "c", config("name", "c"), herder.Stopped))
	must(t, m.PutTasks(ctx, "c", []configstore.Properties{config("n", "0")}))
	must(t, m.PutTasks(ctx, "c", nil))
	must(t, m.DeleteConnector(ctx, "c"))
	var bad *connect.DataError
	if err := m.PutConnector(ctx, "c", nil, ""); !errors.As(err, &bad) {
		t.Errorf("error %v", err)
	}
	m.Stop()
	must(t, m.PutTarget(ctx, "c", herder.Paused))
	if want := []string{"ConnectorChanged of 1", "TasksChanged of 1", "TasksChanged of 1", "ConnectorRemoved of 0"}; !slices.EqualFunc(events, want, strings.HasSuffix) {
		t.Errorf("told %q", events)
	}
	if s := m.Snapshot(); s.Generations["c"] != 1 || s.Offset != 8 {
		t.Errorf("%+v", s)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	key := configstore.SessionKey{Key: []byte("secret"), Algorithm: "A", Created: 1}
	text := fmt.Sprintf("%v %+v %#v %s", key, configstore.SessionKeyChanged{Key: key}, &key, key)
	if strings.Contains(text, "secret") || strings.Contains(text, "115") {
		t.Error(text)
	}
	_, err := configstore.NewState().Apply(0, "session-key", []byte(`{"key":"?secret","algorithm":"A","creation-timestamp":1}`))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func FuzzApply(f *testing.F) {
	for _, key := range []string{"connector-c", "task-c-0", "commit-c", "target-state-c", "tasks-fencing-c", "session-key", "restart-connector-c", "logger-cluster-x", "task-c--1", ""} {
		for _, value := range []string{`{"properties":{"a":"b","n":null,"o":{"x":[1.5,true]}}}`, `{"tasks":2147483648}`, `{"tasks":1}`, `{"state":"PAUSED","state.v2":"STOPPED"}`,
			`{"task-count":-1}`, `{"key":"YQ","algorithm":"","creation-timestamp":1}`, `{"level":"X"}`, "", "null", "{"} {
			f.Add(key, []byte(value), key, []byte(value))
		}
	}
	f.Fuzz(func(t *testing.T, key1 string, value1 []byte, key2 string, value2 []byte) {
		s := configstore.NewState()
		for i, r := range []configstore.Record{{Key: "connector-c", Value: []byte(`{"properties":{}}`)}, {Key: key1, Value: value1}, {Key: key2, Value: value2}, {Key: "commit-c", Value: []byte(`{"tasks":1}`)}} {
			before := s.Snapshot()
			_, err := s.Apply(int64(i), r.Key, r.Value)
			var bad *configstore.BadRecord
			if err != nil && !errors.As(err, &bad) {
				t.Fatalf("error %T", err)
			}
			after := s.Snapshot()
			if after.Offset != int64(i)+1 && after.Offset != before.Offset {
				t.Fatalf("offset %d after %d", after.Offset, i)
			}
			for name, k := range after.Connectors {
				if k.Target == "" || len(k.Tasks) > 2 || k.Config == nil {
					t.Fatalf("%q: %+v", name, k)
				}
			}
		}
	})
}

// BenchmarkReplay is one start on a topic of 100,000 records: 1,000 connectors with 10 tasks each, written several times.
func BenchmarkReplay(b *testing.B) {
	type record struct {
		key   string
		value []byte
	}
	var records []record
	value := []byte(`{"properties":{"name":"c","connector.class":"org.example.SomeSinkConnector","tasks.max":"10","topics":"a,b,c","key.converter":"k","value.converter":"v",` +
		`"connection.url":"jdbc:postgresql://host/database","connection.user":"somebody","connection.password":"${file:/secrets:password}","batch.size":"1000"}}`)
	for len(records) < 100_000 {
		for c := range 1000 {
			name := fmt.Sprintf("connector-number-%d", c)
			records = append(records, record{"connector-" + name, value})
			for task := range 10 {
				records = append(records, record{fmt.Sprintf("task-%s-%d", name, task), value})
			}
			records = append(records, record{"commit-" + name, []byte(`{"tasks":10}`)}, record{"target-state-" + name, []byte(`{"state":"PAUSED","state.v2":"STOPPED"}`)})
		}
	}
	records = records[:100_000]
	b.ReportAllocs()
	for b.Loop() {
		s := configstore.NewState()
		for i, r := range records {
			if _, err := s.Apply(int64(i), r.key, r.value); err != nil {
				b.Fatal(err)
			}
		}
		if len(s.Snapshot().Connectors) != 1000 {
			b.Fatal("connectors are missing")
		}
	}
}

func TestOrderOfKeys(t *testing.T) {
	s := configstore.NewState()
	for i, r := range [][2]string{
		{"connector-c", `{"ignored":{"y":"1"},"properties":{"b":"1","a":null,"c":{"d":1},"b":"2"},"more":{"z":"1"}}`},
		{"task-c-0", `{"properties":{"z":"1","a":"2"}}`}, {"task-c-1", `{"properties":{"z":"3","a":"4"}}`}, {"commit-c", `{"tasks":2}`},
	} {
		if _, err := s.Apply(int64(i), r[0], []byte(r[1])); err != nil {
			t.Fatal(err)
		}
	}
	k := s.Snapshot().Connectors["c"]
	if want := []string{"b", "a", "c"}; !slices.Equal(k.Order, want) {
		t.Errorf("the connector's keys came as %q, want %q", k.Order, want)
	}
	for i, order := range k.TaskOrders {
		if want := []string{"z", "a"}; !slices.Equal(order, want) {
			t.Errorf("the keys of task %d came as %q, want %q", i, order, want)
		}
	}
	if len(k.TaskOrders) != 2 || *k.Config["b"] != "2" {
		t.Errorf("orders of %d tasks, want 2; b is %s, want 2", len(k.TaskOrders), *k.Config["b"])
	}
}
