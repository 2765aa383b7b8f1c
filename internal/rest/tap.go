package rest

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// Taps is what the API asks of records on their way. Kafka Connect has nothing like it: without one the path is not there.
type Taps interface {
	// Tap shows sampled records of a connector's tasks on this worker until ctx ends. Where says, for each task, on which worker it
	// is, and Here which of them are on this one.
	Tap(ctx context.Context, name string, o TapOptions) (where map[int]string, here []int, samples iter.Seq2[Sample, error], err error)
}

// TapOptions say which records are shown. Zero is the default.
type TapOptions struct{ Every, PerSecond int }

// Sample is a record behind one stage.
type Sample struct {
	Time                               time.Time
	Task                               int
	Number                             uint64
	Stage, Class, Error                string
	Dropped                            bool
	Topic                              string
	Partition                          connect.Partition
	Timestamp                          time.Time
	KeySchema, Key, ValueSchema, Value *string
	Headers                            [][2]string
	Lost                               int64
}

// How long records are shown: not longer than a request may take.
const (
	tapSeconds    = 10
	tapMaxSeconds = 60
	tapMaxSamples = 1_000_000
)

func tapRoutes() []route {
	return []route{{path("/connectors/{}/tap"), get((*Server).tap)}}
}

func (s *Server) tap(r *request) (*answer, error) {
	number := func(name string, otherwise, most int) (int, error) {
		v := r.query[name]
		if len(v) == 0 {
			return otherwise, nil
		}
		n, err := strconv.Atoi(v[0])
		if err != nil || n <= 0 || n > most {
			return 0, Errorf(http.StatusBadRequest, "Invalid value %q for parameter %s: it is a number from 1 to %d", v[0], name, most)
		}
		return n, nil
	}
	var o TapOptions
	var seconds, most int
	for _, p := range []struct {
		name            string
		into            *int
		otherwise, most int
	}{{"seconds", &seconds, tapSeconds, tapMaxSeconds}, {"max", &most, tapMaxSamples, tapMaxSamples}, {"every", &o.Every, 0, 1 << 30}, {"perSecond", &o.PerSecond, 0, 1 << 20}} {
		var err error
		if *p.into, err = number(p.name, p.otherwise, p.most); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(r.ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	where, here, samples, err := s.Taps.Tap(ctx, r.params[0], o)
	if err != nil {
		return nil, err
	}
	tasks := make(ordered, 0, len(where))
	for task := range len(where) {
		tasks = append(tasks, member{strconv.Itoa(task), where[task]})
	}
	w := http.NewResponseController(r.w)
	line := func(body any) bool {
		_, err := r.w.Write(append(appendJSON(nil, body), '\n'))
		return err == nil && w.Flush() == nil
	}
	r.w.Header().Set("Content-Type", "application/x-ndjson")
	r.w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead && line(ordered{{"tasks", tasks}, {"watched", list(here)}}) {
		for sample, err := range samples {
			if err != nil || !line(sampleJSON(&sample)) {
				break
			}
			if most--; most == 0 {
				break
			}
		}
	}
	return &answer{written: true}, nil
}

func sampleJSON(s *Sample) ordered {
	text := func(p *string) any {
		if p == nil {
			return nil
		}
		return *p
	}
	o := ordered{{"time", s.Time.UnixMilli()}, {"task", s.Task}, {"record", int64(s.Number)}, {"stage", s.Stage}}
	if s.Class != "" {
		o = append(o, member{"class", s.Class})
	}
	if s.Lost > 0 {
		o = append(o, member{"lost", s.Lost})
	}
	if s.Error != "" {
		o = append(o, member{"error", s.Error})
	}
	if s.Dropped {
		return append(o, member{"dropped", true})
	}
	o = append(o, member{"topic", s.Topic})
	if n, ok := s.Partition.Get(); ok {
		o = append(o, member{"partition", int(n)})
	}
	if !s.Timestamp.IsZero() {
		o = append(o, member{"timestamp", s.Timestamp.UnixMilli()})
	}
	headers := make([]ordered, len(s.Headers))
	for i, h := range s.Headers {
		headers[i] = ordered{{"key", h[0]}, {"value", h[1]}}
	}
	return append(o, member{"key_schema", text(s.KeySchema)}, member{"key", text(s.Key)},
		member{"value_schema", text(s.ValueSchema)}, member{"value", text(s.Value)}, member{"headers", list(headers)})
}
