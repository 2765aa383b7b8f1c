package main

import (
	"context"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/plugin/file"
)

// shout is what happens to each line.
func shout(line string) string { return strings.ToUpper(line) }

// pipeline declares the two connectors: FILE to topic, topic to the other file.
func (p *program) pipeline(brokers []string) (*cluster.Runtime, error) {
	change := connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
		r.Value = p.change(r.Value.(string))
		return r, nil
	})
	rt, err := cluster.New(cluster.Config{
		Brokers: brokers,
		GroupID: "quickstart",
		// One program at a time: it need not wait for a group, nor find there what an earlier run declared.
		Coordinator: cluster.Standalone(),
		// Offsets are stored this often. The default, a minute, suits a service.
		Worker: connect.Config{"offset.flush.interval.ms": "250"},
		// Who waits at a terminal wants to see the error.
		Restart: cluster.RestartPolicy{Max: -1},
	})
	if err != nil {
		return nil, err
	}
	err = rt.Add(
		cluster.Source{
			Name:       p.sourceName(),
			Connector:  &file.Source{Path: p.file},
			Topic:      p.topic,
			Transforms: []connect.Transformation{change},
			Create:     cluster.TopicSettings{Partitions: 1}, // keeps the order of the lines
		},
		cluster.Sink{
			Name:      p.sinkName(),
			Connector: &file.Sink{Path: p.out},
			Topics:    []string{p.topic},
		},
	)
	return rt, err
}

// sourceName returns the name under which the position in FILE is stored.
func (p *program) sourceName() string { return "read-" + p.topic }

// sinkName returns the name under which the position in the topic is stored. Another file to write to has another, and
// gets the topic from its beginning.
func (p *program) sinkName() string { return "write-" + p.topic + "-" + hash(p.out) }
