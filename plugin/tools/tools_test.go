package tools_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/plugin/tools"
)

// output is what connectors print.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

var millis = regexp.MustCompile(`"time_ms":\d+`)

// lines returns the lines without their times.
func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Split(strings.TrimSpace(millis.ReplaceAllString(o.text.String(), `"time_ms":T`)), "\n")
}

func (o *output) want(t *testing.T, want ...string) {
	t.Helper()
	if got := o.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func registry(o *output) *connect.Registry {
	return new(connect.Registry).MustAdd(tools.PluginsTo(o)...)
}

func source(t *testing.T, o *output, class string) connect.SourceConnector {
	t.Helper()
	p, ok := registry(o).Source(class)
	if !ok {
		t.Fatalf("no plugin %s", class)
	}
	return p.New()
}

func sink(t *testing.T, o *output, class string) connect.SinkConnector {
	t.Helper()
	p, ok := registry(o).Sink(class)
	if !ok {
		t.Fatalf("no plugin %s", class)
	}
	return p.New()
}

func TestHidden(t *testing.T) {
	r := registry(new(output))
	for _, kind := range []connect.Kind{connect.KindSource, connect.KindSink} {
		for _, p := range r.List(kind) {
			if !p.Hidden || p.Version != "4.3.0" {
				t.Errorf("%+v: want it hidden, of version 4.3.0", p)
			}
		}
	}
	for _, alias := range []string{"VerifiableSource", "SchemaSourceConnector", "MockSource"} {
		if _, ok := r.Source(alias); !ok {
			t.Errorf("no source is named %s", alias)
		}
	}
}

func TestVerifiableSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(output)
		began := time.Now()
		run := connecttest.RunSource(t, source(t, out, tools.VerifiableSourceClass), connect.Config{"name": "v", "topic": "T", "throughput": "2"})
		records := run.Take(3)
		if took := time.Since(began); took != time.Second { // at 0, 0.5 and 1 s
			t.Errorf("3 records at 2 a second took %v, want 1s", took)
		}
		for i, r := range records {
			if r.Topic != "T" || r.Key != int32(0) || r.Value != int64(i) || r.KeySchema != connect.Int32Schema || r.ValueSchema != connect.Int64Schema {
				t.Errorf("record %d: %+v", i, r.Record)
			}
		}
		run.Stop()
		for _, line := range []string{`{"task":0,"seqno":2,"time_ms":T,"name":"v","topic":"T"}`, `{"committed":true,"task":0,"seqno":2,"time_ms":T,"name":"v","topic":"T"}`} {
			if !strings.Contains(strings.Join(out.lines(), "\n"), line) {
				t.Errorf("not printed: %s in %q", line, out.lines())
			}
		}
		run.Start()
		if r := run.Take(1)[0]; r.Value != int64(3) {
			t.Errorf("after a restart: %v, want 3", r.Value)
		}
	})
}

func TestVerifiableSourceComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(output)
		run := connecttest.RunSource(t, source(t, out, tools.VerifiableSourceClass),
			connect.Config{"name": "v", "topic": "T", "throughput": "1", "complete.record.data": "TRUE", "tasks.max": "1"})
		s := run.Take(1)[0].Value.(*connect.Struct)
		if got := fmt.Sprintf("%v %v %v %v", s.Value("name"), s.Value("task"), s.Value("topic"), s.Value("seqno")); got != "v 0 T 0" {
			t.Errorf("value: %s", got)
		}
		run.Stop()
		want := `{"committed":true,"task":0,"seqno":{"name":"v","task":0,"topic":"T","time_ms":T,"seqno":0},"time_ms":T,"name":"v","topic":"T"}`
		if got := out.lines(); got[1] != want {
			t.Errorf("printed %s, want %s", got[1], want)
		}
	})
}

func TestVerifiableSink(t *testing.T) {
	out := new(output)
	run := connecttest.RunSink(t, sink(t, out, tools.VerifiableSinkClass), connect.Config{"name": "s", "topics": "T"})
	run.Put(connect.Record{Topic: "T", Key: int32(7), Value: int64(9)}, connect.Record{Topic: "T", Value: `a "b"`})
	run.Commit()
	run.Commit()
	out.want(t,
		`{"task":7,"seqno":9,"offset":0,"time_ms":T,"name":"s","topic":"T","sinkTask":0}`,
		`{"task":null,"seqno":"a \"b\"","offset":1,"time_ms":T,"name":"s","topic":"T","sinkTask":0}`,
		`{"task":7,"seqno":9,"offset":0,"time_ms":T,"name":"s","topic":"T","sinkTask":0,"flushed":true}`,
		`{"task":null,"seqno":"a \"b\"","offset":1,"time_ms":T,"name":"s","topic":"T","sinkTask":0,"flushed":true}`)
}

func TestSchemaSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(output)
		run := connecttest.RunSource(t, source(t, out, tools.SchemaSourceClass), connect.Config{"name": "s", "topic": "T",
			"throughput": "-1", "num.messages": "3", "multiple.schema": "true", "partition.count": "2"})
		var got []string
		for _, r := range run.Take(3) {
			version, _ := r.ValueSchema.Version()
			got = append(got, fmt.Sprint(r.Partition, " ", r.Key, " ", version, " ", r.Value))
		}
		want := []string{
			"0 key 1 Struct{boolean=true,int=12,long=12,float=12.2,double=12.2,partitioning=0,id=0,seqno=0}",
			"0 key 2 Struct{boolean=true,int=12,long=12,float=12.2,double=12.2,partitioning=1,string=def,id=0,seqno=1}",
			"0 key 1 Struct{boolean=true,int=12,long=12,float=12.2,double=12.2,partitioning=0,id=0,seqno=2}",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("records\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		time.Sleep(time.Minute)
		if more := run.Pending(); len(more) > 0 {
			t.Errorf("%d records more than num.messages", len(more))
		}
		run.Stop()
		out.want(t, `{"task": 0, "seqno": 0}`, `{"task": 0, "seqno": 1}`, `{"task": 0, "seqno": 2}`)
	})
}

func TestMockTaskFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		run := connecttest.RunSource(t, source(t, new(output), tools.MockSourceClass), connect.Config{"mock_mode": "task-failure", "delay_ms": "5000"})
		if err := run.AwaitError(); err == nil || !strings.Contains(err.Error(), "task-failure") || time.Since(began) != 5*time.Second {
			t.Errorf("after %v: %v, want the failure after 5s", time.Since(began), err)
		}
	})
}

func TestMockSinkTaskFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := connecttest.RunSink(t, sink(t, new(output), tools.MockSinkClass), connect.Config{"mock_mode": "task-failure"})
		time.Sleep(14 * time.Second)
		run.Put(connect.Record{Topic: "T"})
		time.Sleep(time.Second)
		if err := run.TryPut(); err == nil || !strings.Contains(err.Error(), "task-failure") {
			t.Errorf("after 15 s: %v, want the failure", err)
		}
	})
}

func TestMockConnectorFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := connecttest.RunSource(t, source(t, new(output), tools.MockSourceClass), connect.Config{"mock_mode": "connector-failure", "delay_ms": "10"})
		if err := run.AwaitError(); err == nil || !strings.Contains(err.Error(), "connector-failure") {
			t.Errorf("%v, want the failure", err)
		}
	})
}

func TestBadNumbers(t *testing.T) {
	for class, cfg := range map[string]connect.Config{
		tools.VerifiableSourceClass: {"topic": "T", "throughput": "many"},
		tools.SchemaSourceClass:     {"topic": "T", "throughput": "1", "num.messages": "3", "partition.count": "0"},
		tools.MockSourceClass:       {"mock_mode": "task-failure", "delay_ms": "soon"},
	} {
		run := connecttest.RunSource(t, source(t, new(output), class), cfg)
		if err := run.AwaitError(); err == nil || !strings.Contains(err.Error(), "Invalid value") {
			t.Errorf("%s: %v, want an error that names the value", class, err)
		}
	}
}

func ExamplePlugins() {
	registry := new(connect.Registry).MustAdd(tools.Plugins()...)
	p, _ := registry.Source("VerifiableSource")
	fmt.Println(p.Class)
	// Output: org.apache.kafka.connect.tools.VerifiableSourceConnector
}
