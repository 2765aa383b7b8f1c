package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/predicate"
	"github.com/gokconnect/connect/internal/smt"
	"github.com/gokconnect/connect/internal/topiccreation"
	"github.com/gokconnect/connect/internal/values"
	"github.com/gokconnect/connect/plugin/file"
	"github.com/gokconnect/connect/plugin/jsonconv"
	"github.com/gokconnect/connect/plugin/mirror"
)

// kafkaRegistry has the plugins that the vectors were recorded with.
func kafkaRegistry() *connect.Registry {
	reg := new(connect.Registry).MustAdd(file.Plugins()...).MustAdd(connect.BuiltinConverters()...)
	reg.MustAdd(jsonconv.Plugin(), jsonconv.HeaderPlugin()).MustAdd(values.SimpleHeaderConverter()).MustAdd(clients.Policies()...)
	reg.MustAdd(smt.Plugins()...).MustAdd(predicate.Plugins()...)
	reg.MustAdd(mirror.Plugins(mirror.Options{})...)
	return reg
}

// wantPlainError compares an error that may be of any class with the expected one.
func wantPlainError(t *testing.T, c conformance.Case, err error) {
	t.Helper()
	if bad := new(connconfig.RequestError); strings.HasSuffix(c.Error.Class, "BadRequestException") != errors.As(err, &bad) {
		t.Fatalf("error %T, want %s", err, c.Error.Class)
	}
	wantConfigError(t, c, err)
}

func vectorWorker(t *testing.T, reg *connect.Registry, policy string) connconfig.Worker {
	t.Helper()
	name, allowed, _ := strings.Cut(policy, ":")
	plugin, ok := reg.OverridePolicy(name)
	if !ok {
		t.Fatalf("no policy %s", policy)
	}
	overrides, err := plugin.New(connect.Config{"connector.client.config.override.allowlist": allowed})
	if err != nil {
		t.Fatal(err)
	}
	return connconfig.Worker{
		Policy:          overrides,
		ClientDef:       clients.Definition,
		KeyConverter:    connconfig.ConverterChoice{Class: "JsonConverter"},
		ValueConverter:  connconfig.ConverterChoice{Class: "JsonConverter"},
		HeaderConverter: connconfig.ConverterChoice{Class: "SimpleHeaderConverter"},
	}
}

func TestConnectorValidate(t *testing.T) {
	reg := kafkaRegistry()
	conformance.Run(t, "data/config/validate.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Policy string
			Props  map[string]*string
		}](t, c.In)
		got, err := connconfig.Validate(context.Background(), reg, vectorWorker(t, reg, in.Policy), in.Props)
		if c.Error != nil {
			wantPlainError(t, c, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		want := decode[struct {
			Name       string
			ErrorCount int `json:"error_count"`
			Groups     []string
			Values     [][3]any
		}](t, c.Out)
		if got.Name != want.Name || got.ErrorCount != want.ErrorCount || !reflect.DeepEqual(got.Groups, want.Groups) {
			t.Errorf("got  %s, %d errors, groups %q\nwant %s, %d errors, groups %q", got.Name, got.ErrorCount, got.Groups, want.Name, want.ErrorCount, want.Groups)
		}
		if len(got.Configs) != len(want.Values) {
			t.Errorf("got %d values, want %d", len(got.Configs), len(want.Values))
		}
		for i := range min(len(got.Configs), len(want.Values)) {
			v, w := got.Configs[i].Value, want.Values[i]
			var value any
			if v.Value != nil {
				value = *v.Value
			}
			messages := []any{}
			for j, message := range v.Errors {
				if wanted, _ := w[2].([]any); j < len(wanted) {
					message = asJavaText(message, wanted[j].(string))
				}
				messages = append(messages, message)
			}
			if g := [3]any{v.Name, value, messages}; !reflect.DeepEqual(g, w) {
				t.Errorf("value %d:\ngot  %q\nwant %q", i, g, w)
			}
		}
	})
}

// asJavaText returns want for a message whose end is Java's own: the text of a PatternSyntaxException or of a
// NullPointerException.
func asJavaText(got, want string) string {
	const regex = "Invalid regex: "
	if i := strings.Index(want, regex); i >= 0 && strings.HasPrefix(got, want[:i+len(regex)]) {
		return want
	}
	return got
}

func TestConnectorConfig(t *testing.T) {
	reg := kafkaRegistry()
	conformance.Run(t, "data/config/connectorconfig.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Kind  string
			Props map[string]*string
		}](t, c.In)
		var got map[string]any
		var err error
		switch in.Kind {
		case "source":
			got, err = sourceAccessors(reg, in.Props)
		case "sink":
			got, err = sinkAccessors(reg, in.Props)
		default:
			got, err = sinkRules(in.Props)
		}
		if c.Error != nil {
			wantConfigError(t, c, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		want := decode[map[string]any](t, c.Out)
		for _, group := range want { // what the group matches is compiled, and tested with topic-creation.jsonl
			if group, ok := group.(map[string]any); ok {
				delete(group, "include")
				delete(group, "exclude")
			}
		}
		if got := decode[map[string]any](t, b); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

func commonAccessors(c connconfig.Common) map[string]any {
	tolerance := "NONE"
	if c.Tolerate {
		tolerance = "ALL"
	}
	return map[string]any{
		"tasksMax": c.TasksMax, "enforceTasksMax": c.EnforceTasksMax, "errorRetryTimeout": c.RetryTimeout.Milliseconds(),
		"errorMaxDelayInMillis": c.RetryDelayMax.Milliseconds(), "errorTolerance": tolerance,
	}
}

func sourceAccessors(reg *connect.Registry, props map[string]*string) (map[string]any, error) {
	cfg, err := connconfig.ParseSourceNullable(reg, props)
	if err != nil {
		return nil, err
	}
	got := commonAccessors(cfg.Common)
	got["transactionBoundary"] = strings.ToUpper(string(cfg.Boundary))
	got["offsetsTopic"] = nil
	if cfg.OffsetsTopic != "" {
		got["offsetsTopic"] = cfg.OffsetsTopic
	}
	text := cfg.Parsed.Given()
	got["usesTopicCreation"] = topiccreation.Used(text)
	if !topiccreation.Used(text) {
		return got, nil
	}
	groups, err := topiccreation.Parse(text)
	if err != nil {
		return nil, err
	}
	for _, g := range groups.All() {
		topic := g.NewTopic("t")
		other := map[string]any{}
		for key, value := range topic.Configs {
			other[key] = value
		}
		got["group:"+g.Name()] = map[string]any{"partitions": topic.Partitions, "replicationFactor": topic.ReplicationFactor, "other": other}
	}
	return got, nil
}

func sinkAccessors(reg *connect.Registry, props map[string]*string) (map[string]any, error) {
	cfg, err := connconfig.ParseSinkNullable(reg, props)
	if err != nil {
		return nil, err
	}
	got := commonAccessors(cfg.Common)
	got["dlqTopicName"] = cfg.DLQTopic
	return got, nil
}

func sinkRules(props map[string]*string) (map[string]any, error) {
	cfg := connect.Config{}
	for key, value := range props {
		if value != nil {
			cfg[key] = *value
		}
	}
	if err := connconfig.CheckSinkTopics(cfg); err != nil {
		return nil, err
	}
	topics := connconfig.Topics(cfg)
	return map[string]any{"hasTopics": strings.TrimSpace(cfg["topics"]) != "", "hasDlq": connconfig.HasDLQ(cfg), "topics": topics}, nil
}
