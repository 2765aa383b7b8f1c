package tracing

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/tracing/tracingtest"
	"go.opentelemetry.io/otel/trace"
)

func TestHeader(t *testing.T) {
	const valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for header, ok := range map[string]bool{
		valid: true,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00":       true,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later": true, // a later version may have more
		valid + "-more": false,
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz": false,
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": false,
		"": false, "00": false,
	} {
		if _, got := parse([]byte(header)); got != ok {
			t.Errorf("%q: %v, want %v", header, got, ok)
		}
	}
	for _, header := range []string{valid, valid[:53] + "00"} {
		c, _ := parse([]byte(header))
		if got := string(format(c)); got != header {
			t.Errorf("%s became %s", header, got)
		}
	}
	if got := format(trace.SpanContext{}); got != nil {
		t.Errorf("an invalid context became %s", got)
	}
}

// What fails is said without secrets, and a batch ends once, when all of it is done. The Poll that returned it has ended then.
func TestBatch(t *testing.T) {
	p := new(tracingtest.Provider)
	task := New(p, "1", true, func(s string) string { return strings.ReplaceAll(s, "hunter22", "[hidden]") }).Task(connect.TaskID{Connector: "c", Task: 3})
	b := task.Source(t.Context(), time.Now(), errors.New("hunter22 was refused"))
	b.Add()
	b.Failed(errors.New("the password hunter22 is wrong"))
	b.Done()
	if ended := p.Ended(); len(ended) != 1 || ended[0].Name != "poll c" || ended[0].Reason != "[hidden] was refused" {
		t.Errorf("before all was done: %+v", ended)
	}
	b.Done()
	b.Abandon("too late")
	ended := p.Ended()
	if len(ended) != 2 || ended[1].Name != "source c" || ended[1].Reason != "the password [hidden] is wrong" {
		t.Fatalf("%+v", ended)
	}
	if ended[0].Parent.SpanID() != ended[1].Context.SpanID() {
		t.Errorf("the poll is a child of %v", ended[0].Parent)
	}
	if c, ok := parse(b.Parent()); !ok || c.SpanID() != ended[1].Context.SpanID() {
		t.Errorf("records carry %s", b.Parent())
	}
	abandoned := task.Source(t.Context(), time.Now(), nil)
	abandoned.Abandon("over")
	abandoned.Done()
	if ended := p.Ended(); len(ended) != 4 || ended[3].Ends != 1 || ended[3].Reason != "over" {
		t.Errorf("%+v", ended)
	}
}

// Without a provider all of it does nothing.
func TestNoTracer(t *testing.T) {
	task := New(nil, "1", true, nil).Task(connect.TaskID{})
	b := task.Source(t.Context(), time.Now(), nil)
	if b != nil || task.Sink(t.Context(), new(Origins)) != nil || task.Commit(t.Context(), new(Origins)) != nil {
		t.Error("spans of nobody")
	}
	if n := testing.AllocsPerRun(100, func() {
		ctx, end := b.Stage(t.Context(), "poll")
		end(nil)
		b.Add()
		b.Records(1)
		b.Failed(nil)
		b.Done()
		b.Abandon("")
		if b.Context(ctx) != ctx || b.Parent() != nil {
			t.Error("something")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
	f.Fuzz(func(t *testing.T, header []byte) {
		c, ok := parse(header)
		if ok != c.IsValid() {
			t.Fatalf("%q: %v, and the context is valid: %v", header, ok, c.IsValid())
		}
		if !ok {
			return
		}
		again, ok := parse(format(c))
		if !ok || again.TraceID() != c.TraceID() || again.SpanID() != c.SpanID() || again.TraceFlags() != c.TraceFlags() {
			t.Fatalf("%q: %v became %v", header, c, again)
		}
	})
}

func TestOrigins(t *testing.T) {
	var o Origins
	header := []byte("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba90000-01")
	for range 3 {
		for i := range 100 {
			header[50], header[51] = "0123456789abcdef"[i/16], "0123456789abcdef"[i%16]
			o.Header(header)
		}
	}
	if len(o.links) != maxLinks || !o.Full() {
		t.Errorf("%d links, want %d", len(o.links), maxLinks)
	}
	o.Reset()
	o.Header([]byte("nonsense"))
	o.Header(header)
	o.Header(header)
	o.Batch(nil)
	if len(o.links) != 1 {
		t.Errorf("%d links, want 1", len(o.links))
	}
}
