// Package tools has the connectors that Kafka's own system tests drive a worker with, under their Java names: they make
// numbered records, print what passes, or fail on request.
//
//	registry.MustAdd(tools.Plugins()...)
//
// They are kept out of listings ([connect.PluginInfo].Hidden). Their keys and records, and the lines that the verifiable
// connectors print, are those of Kafka Connect.
package tools

import (
	"context"
	"io"
	"maps"
	"os"
	"strconv"
	"sync"

	"github.com/gokconnect/connect"
)

// Version is the version of Kafka Connect whose connectors these are.
const Version = "4.3.0"

// The names of the connectors in configurations; what follows the last point, with or without "Connector", is a short one.
const (
	MockSourceClass       = "org.apache.kafka.connect.tools.MockSourceConnector"
	MockSinkClass         = "org.apache.kafka.connect.tools.MockSinkConnector"
	SchemaSourceClass     = "org.apache.kafka.connect.tools.SchemaSourceConnector"
	VerifiableSourceClass = "org.apache.kafka.connect.tools.VerifiableSourceConnector"
	VerifiableSinkClass   = "org.apache.kafka.connect.tools.VerifiableSinkConnector"
)

// Plugins returns the descriptors of the five connectors, which print to standard output.
func Plugins() []connect.Plugin { return PluginsTo(os.Stdout) }

// PluginsTo returns the descriptors of the five connectors, which print to w. Each line is one call of w.Write, and no two
// calls overlap. An error of w fails the task that wrote.
func PluginsTo(w io.Writer) []connect.Plugin {
	out := &printer{w: w}
	source := func(class string, New func() connect.SourceConnector) connect.Plugin {
		return connect.SourcePlugin{PluginInfo: info(class), New: New}
	}
	sink := func(class string, New func() connect.SinkConnector) connect.Plugin {
		return connect.SinkPlugin{PluginInfo: info(class), New: New}
	}
	return []connect.Plugin{
		source(MockSourceClass, func() connect.SourceConnector { return new(mockSource) }),
		sink(MockSinkClass, func() connect.SinkConnector { return new(mockSink) }),
		source(SchemaSourceClass, func() connect.SourceConnector { return &schemaSource{out: out} }),
		source(VerifiableSourceClass, func() connect.SourceConnector { return &verifiableSource{out: out} }),
		sink(VerifiableSinkClass, func() connect.SinkConnector { return &verifiableSink{out: out} }),
	}
}

// info describes a plugin. None of them defines its keys: Java's don't either, so that validation accepts anything.
func info(class string) connect.PluginInfo {
	return connect.PluginInfo{Class: class, Version: Version, Config: connect.MustConfigDef(), Hidden: true}
}

// numbered is a connector with as many tasks as it may have, each with its number under the key id.
type numbered struct{ cfg connect.Config }

// Start takes the configuration.
func (n *numbered) Start(_ context.Context, _ connect.ConnectorContext, cfg connect.Config) error {
	n.cfg = cfg
	return nil
}

// TaskConfigs numbers the tasks.
func (n *numbered) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	configs := make([]connect.Config, maxTasks)
	for i := range configs {
		configs[i] = maps.Clone(n.cfg)
		configs[i]["id"] = strconv.Itoa(i)
	}
	return configs, nil
}

// Stop does nothing.
func (n *numbered) Stop(context.Context) error { return nil }

// printer writes lines, one at a time.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *printer) line(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.w.Write(append(b, '\n'))
	return err
}

// integer reads a number of a configuration.
func integer(cfg connect.Config, key string, bits int) (int64, error) {
	n, err := strconv.ParseInt(cfg[key], 10, bits)
	if err != nil {
		return 0, connect.ConfigErrorf(key, "Invalid value %q for configuration %s: it needs a whole number", cfg[key], key)
	}
	return n, nil
}
