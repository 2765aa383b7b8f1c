package conformance_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/values"
	"github.com/gokconnect/connect/plugin/jsonconv"
)

// converterCase is one conversion: from is false where bytes are turned into a value.
type converterCase struct {
	Class  string
	Topic  string
	from   bool
	config connect.Config
	in     connect.SchemaAndValue
	bytes  []byte
}

func readConverterCase(t *testing.T, c conformance.Case) converterCase {
	t.Helper()
	var cc converterCase
	unmarshal(t, c.In, &cc)
	cc.config = vec.Config(c.In)
	if cc.from = strings.Contains(c.ID, ".from-"); cc.from {
		cc.in = vec.SchemaAndValue(c.In)
	} else {
		cc.bytes = vec.Bytes(c.In)
	}
	return cc
}

func (cc converterCase) check(t *testing.T, c conformance.Case, out []byte, back connect.SchemaAndValue, err error) {
	t.Helper()
	vec.CheckError(t, c.Error, err)
	switch {
	case err != nil || c.Error != nil:
	case cc.from:
		if want := vec.Bytes(c.Out); !vec.MatchText(string(want), string(out)) || (want == nil) != (out == nil) {
			t.Errorf("bytes are %q, expected %q", out, want)
		}
	default:
		report(t, vec.DiffSchemaAndValue(c.Out, back))
	}
}

func TestConverters(t *testing.T) {
	registry := new(connect.Registry).MustAdd(connect.BuiltinConverters()...)
	for _, file := range []string{"string", "bytearray", "primitive"} {
		vec.Run(t, "data/converters/"+file+".jsonl", func(t *testing.T, c conformance.Case) {
			ctx := context.Background()
			cc := readConverterCase(t, c)

			plugin, ok := registry.Converter(cc.Class)
			if !ok {
				t.Fatalf("no converter %s", cc.Class)
			}
			var out, appended []byte
			var back connect.SchemaAndValue
			conv, err := plugin.New(cc.config, connect.ValueRole)
			switch {
			case err != nil:
			case cc.from:
				var null bool
				var headers connect.RawHeaders
				out, err = conv.FromConnect(ctx, cc.Topic, &headers, cc.in.Schema, cc.in.Value)
				appended, null, _ = conv.(connect.AppendConverter).AppendFromConnect(ctx, []byte("before"), cc.Topic, &headers, cc.in.Schema, cc.in.Value)
				if err == nil && (string(appended) != "before"+string(out) || null != (out == nil)) {
					t.Errorf("appended %q (null: %v), expected %q", appended, null, out)
				}
			default:
				back, err = conv.ToConnect(ctx, cc.Topic, nil, cc.bytes)
			}
			cc.check(t, c, out, back, err)

			headerPlugin, ok := registry.HeaderConverter(cc.Class)
			if !ok {
				t.Fatalf("no header converter %s", cc.Class)
			}
			out, back = nil, connect.SchemaAndValue{}
			cc.config[connect.ConverterType] = "header"
			header, err := headerPlugin.New(cc.config)
			switch {
			case err != nil:
			case cc.from:
				out, err = header.FromConnectHeader(ctx, cc.Topic, "k", cc.in.Schema, cc.in.Value)
			default:
				back, err = header.ToConnectHeader(ctx, cc.Topic, "k", cc.bytes)
			}
			cc.check(t, c, out, back, err)
		})
	}
}

func TestConverterConfig(t *testing.T) {
	registry := new(connect.Registry).MustAdd(connect.BuiltinConverters()...).
		MustAdd(jsonconv.Plugin(), jsonconv.HeaderPlugin(), values.SimpleHeaderConverter())
	vec.Run(t, "data/converters/config.jsonl", func(t *testing.T, c conformance.Case) {
		var in struct {
			Class  string
			Config map[string]*string
			IsKey  *bool
		}
		unmarshal(t, c.In, &in)
		runConverterConfig(t, c, registry, in.Class, in.Config, in.IsKey)
	})
}

func runConverterConfig(t *testing.T, c conformance.Case, registry *connect.Registry, class string, config map[string]*string, isKey *bool) {
	var err error
	if isKey != nil {
		role := connect.ValueRole
		if *isKey {
			role = connect.KeyRole
		}
		plugin, ok := registry.Converter(class)
		if !ok {
			t.Fatalf("no converter %s", class)
		}
		_, err = plugin.New(vec.Config(c.In), role)
		vec.CheckError(t, c.Error, err)
		return
	}
	plugin, ok := registry.HeaderConverter(class)
	if !ok {
		t.Fatalf("no header converter %s", class)
	}
	if _, err = plugin.New(vec.Config(c.In)); err != nil {
		// New goes by the definition, which tells a null from an absent key; a Config has no nulls.
		given := map[string]any{}
		for k, v := range config {
			if given[k] = nil; v != nil {
				given[k] = *v
			}
		}
		_, err = plugin.Config.ParseValues(given)
	}
	vec.CheckError(t, c.Error, err)
}
