package cluster

import (
	"context"
	"iter"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/rest"
)

// apiTaps is the runtime as the REST API sees records on their way.
type apiTaps struct{ rt *Runtime }

var _ rest.Taps = apiTaps{}

func (a apiTaps) Tap(ctx context.Context, name string, o rest.TapOptions) (where map[int]string, here []int, samples iter.Seq2[rest.Sample, error], err error) {
	status, err := a.rt.Status(ctx, name)
	if err != nil {
		return nil, nil, nil, err
	}
	where = make(map[int]string)
	err = a.rt.do(ctx, func() error {
		k := a.rt.snapshot[name]
		if k == nil {
			return notFound(name)
		}
		for task := range k.Tasks {
			where[task] = ""
			if a.rt.tasks[connect.TaskID{Connector: name, Task: task}] != nil {
				here = append(here, task)
			}
		}
		return nil
	})
	for _, t := range status.Tasks {
		if _, ok := where[t.ID.Task]; ok {
			where[t.ID.Task] = t.Worker
		}
	}
	return where, here, func(yield func(rest.Sample, error) bool) {
		for s, err := range a.rt.Tap(ctx, name, TapOptions{Every: o.Every, PerSecond: o.PerSecond}) {
			out := rest.Sample{Time: s.Time, Task: s.Task.Task, Number: s.Number, Stage: s.Stage, Class: s.Class, Error: s.Error, Dropped: s.Dropped, Topic: s.Topic,
				Partition: s.Partition, Timestamp: s.Timestamp, KeySchema: s.KeySchema, Key: s.Key, ValueSchema: s.ValueSchema, Value: s.Value, Lost: s.Lost}
			for _, h := range s.Headers {
				out.Headers = append(out.Headers, [2]string{h.Key, h.Value})
			}
			if !yield(out, err) {
				return
			}
		}
	}, err
}
