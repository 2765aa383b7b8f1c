package cluster

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
)

// TapOptions say which records [Runtime.Tap] shows.
type TapOptions struct {
	// Every shows one record of so many. Default: 1, each.
	Every int
	// PerSecond bounds how many records of each task are shown in a second. Default: 10.
	PerSecond int
	// Buffer is how many samples wait for a reader that is slow; more are dropped. Default: 256.
	Buffer int
	// MaxText is how many bytes of a key, a value or a header are shown. Default: 4096.
	MaxText int
}

// Sample is what a record was behind one stage of its way through a task.
type Sample struct {
	Time   time.Time
	Task   connect.TaskID
	Number uint64 // of the record among those of its task since it was watched: its samples have one number
	// Stage is "poll" or "consume" (before the first stage), "transforms.ALIAS", "Topic" (the declaration's was put in),
	// "converters", or, for a failure, the stage's name in dead letters. A transformation that is a Go value is "Transforms[N]".
	// Class is that of the plugin, if one was at work.
	Stage, Class string
	// Dropped says that the record ended there: a transformation filtered it, or it failed with Error. What it was is in the
	// sample before.
	Dropped bool
	Error   string
	// The record: text of its values, or their bytes as text where it is in Kafka's form. A key, value or schema that is null is nil.
	Topic                  string
	Partition              connect.Partition
	Timestamp              time.Time // zero if there is none
	KeySchema, ValueSchema *string
	Key, Value             *string
	Headers                []SampleHeader
	// Lost is how many samples were dropped before this one, since the reader was slow.
	Lost int64
}

// SampleHeader is a header of a [Sample].
type SampleHeader struct{ Key, Value string }

// Tap shows sampled records of a connector's tasks on this instance, as they are before and behind each stage: as long as the
// sequence is ranged over, or until ctx or the runtime ends. Tasks that start meanwhile are watched too. A connector
// whose tasks are elsewhere shows nothing here: [Runtime.Status] says where they are. It ends with the error of a connector that does
// not exist, and none otherwise.
//
// Watching does not slow the tasks: samples wait in a buffer, and what does not fit is dropped and counted. Values of config
// providers are replaced by their placeholders, as in logs; but what connectors put into records is shown.
func (rt *Runtime) Tap(ctx context.Context, connector string, o TapOptions) iter.Seq2[Sample, error] {
	if o.Every <= 0 {
		o.Every = 1
	}
	if o.PerSecond <= 0 {
		o.PerSecond = 10
	}
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	if o.MaxText <= 0 {
		o.MaxText = 4096
	}
	return func(yield func(Sample, error) bool) {
		err := rt.do(ctx, func() error {
			if rt.snapshot[connector] == nil {
				return notFound(connector)
			}
			return nil
		})
		if err != nil {
			yield(Sample{}, err)
			return
		}
		samples := make(chan Sample, o.Buffer)
		var lost atomic.Int64
		detach := rt.taps.of(connector).Attach(&pipeline.Tap{Every: o.Every, PerSecond: o.PerSecond, See: func(s *pipeline.Sighting) {
			if len(samples) == cap(samples) { // nothing is made of what has no room
				lost.Add(1)
				return
			}
			select {
			case samples <- rt.sample(s, o.MaxText):
			default:
				lost.Add(1)
			}
		}})
		defer detach()
		for {
			select {
			case s := <-samples:
				s.Lost = lost.Swap(0)
				if !yield(s, nil) {
					return
				}
			case <-ctx.Done():
				return
			case <-rt.ended:
				return
			}
		}
	}
}

// sample makes what is shown of a record.
func (rt *Runtime) sample(in *pipeline.Sighting, limit int) (s Sample) {
	s = Sample{Time: time.Now(), Task: in.Task, Number: in.Number, Stage: in.Stage, Class: in.Class, Dropped: in.Record == nil && in.Raw == nil}
	defer func() {
		if v := recover(); v != nil { // a value that has no text
			s.Error = fmt.Sprintf("the record can't be shown: %v", v)
		}
	}()
	text := func(v string) string { return shorten(rt.secrets.hide(v), limit) }
	pointer := func(v string) *string { v = text(v); return &v }
	if in.Err != nil {
		s.Error = text(in.Err.Error())
	}
	switch {
	case in.Record != nil:
		r := in.Record
		s.Topic, s.Partition, s.Timestamp = r.Topic, r.Partition, r.Timestamp
		if r.Key != nil {
			s.Key = pointer(connect.FormatValue(r.Key))
		}
		if r.Value != nil {
			s.Value = pointer(connect.FormatValue(r.Value))
		}
		if r.KeySchema != nil {
			s.KeySchema = pointer(r.KeySchema.String())
		}
		if r.ValueSchema != nil {
			s.ValueSchema = pointer(r.ValueSchema.String())
		}
		for _, h := range r.Headers {
			s.Headers = append(s.Headers, SampleHeader{h.Key, text(connect.FormatValue(h.Value))})
		}
	case in.Raw != nil:
		r := in.Raw
		s.Topic, s.Partition, s.Timestamp = r.Topic, r.Partition, r.Timestamp
		if r.Key != nil {
			s.Key = pointer(string(r.Key))
		}
		if r.Value != nil {
			s.Value = pointer(string(r.Value))
		}
		for _, h := range r.Headers {
			s.Headers = append(s.Headers, SampleHeader{h.Key, text(string(h.Value))})
		}
	}
	return s
}

// shorten returns at most about limit bytes of a text, which is valid UTF-8 then.
func shorten(text string, limit int) string {
	if len(text) > limit {
		for limit > 0 && !utf8.RuneStart(text[limit]) {
			limit--
		}
		text = fmt.Sprintf("%s… (%d bytes)", text[:limit], len(text))
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// tapsByName are the taps of connectors. The zero value is ready. Safe for concurrent use.
type tapsByName struct {
	mu  sync.Mutex
	all map[string]*pipeline.Taps
}

// of returns the taps of a connector, which outlive its tasks.
func (t *tapsByName) of(connector string) *pipeline.Taps {
	t.mu.Lock()
	defer t.mu.Unlock()
	taps := t.all[connector]
	if taps == nil {
		if t.all == nil {
			t.all = make(map[string]*pipeline.Taps)
		}
		taps = new(pipeline.Taps)
		t.all[connector] = taps
	}
	return taps
}
