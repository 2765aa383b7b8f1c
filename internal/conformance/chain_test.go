package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/plugin/file"
)

// TestChain runs records through the chain that a connector's configuration describes: the runtime's own.
func TestChain(t *testing.T) {
	reg := new(connect.Registry)
	reg.Merge(smtPlugins)
	reg.MustAdd(file.Plugins()...)
	vec.Run(t, "data/smt/chain*.jsonl", func(t *testing.T, c conformance.Case) {
		var in struct {
			Record json.RawMessage `json:"record"`
		}
		if err := json.Unmarshal(c.In, &in); err != nil {
			t.Fatal(err)
		}
		record := vec.Record(in.Record)
		got, err := runChain(reg, vec.Config(c.In), record)
		if c.Error != nil {
			want := c.Error
			var config *connect.ConfigError
			if errors.As(err, &config) {
				err = config // ours names the transformation in front
				const class = "org.apache.kafka.common.config.ConfigException"
				if _, inner, ok := strings.Cut(want.Message, class+": "); ok {
					want = &conformance.Error{Class: class, Message: inner} // Java's wrappers only repeat their cause
				}
			}
			vec.CheckError(t, want, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := vec.DiffResult(in.Record, c.Out, got); err != nil {
			t.Error(err)
		}
	})
}

func runChain(reg *connect.Registry, cfg connect.Config, r *connect.Record) (*connect.Record, error) {
	source, err := connconfig.ParseSource(reg, cfg)
	if err != nil {
		return nil, err
	}
	steps, err := pipeline.Steps(reg, &source.Common)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if r, err = s.Apply(context.Background(), r); r == nil || err != nil {
			return nil, err
		}
	}
	return r, nil
}
