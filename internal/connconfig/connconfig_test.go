package connconfig

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// source is a source connector that answers what it is told to.
type source struct {
	connect.SourceConnector
	support connect.ExactlyOnceSupport
	can     bool
	err     error
}

func (s source) ExactlyOnceSupport(connect.Config) (connect.ExactlyOnceSupport, error) {
	return s.support, s.err
}
func (s source) CanDefineTransactionBoundaries(connect.Config) (bool, error) { return s.can, s.err }

// picky is a sink connector that checks more than single keys.
type picky struct{ connect.SinkConnector }

func (picky) Validate(_ context.Context, cfg connect.Config, values connect.ConfigValues) error {
	if cfg["host"] == "gone" {
		values.AddError("host", "gone can't be reached")
		values.AddError("elsewhere", "neither can elsewhere")
	}
	if cfg["host"] == "down" {
		return errors.New("no route")
	}
	return nil
}

func testRegistry(s source) *connect.Registry {
	host := connect.MustConfigDef(connect.ConfigKey{Name: "host", Type: connect.ConfigString, Default: "h", Group: "Own"})
	converter := func(connect.Config, connect.Role) (connect.Converter, error) { return nil, nil }
	transform := func(connect.Config) (connect.Transformation, error) { return nil, nil }
	return new(connect.Registry).MustAdd(
		connect.SourcePlugin{PluginInfo: connect.PluginInfo{Class: "x.ASource", Version: "1.0"}, New: func() connect.SourceConnector { return s }},
		connect.SinkPlugin{PluginInfo: connect.PluginInfo{Class: "x.ASink", Version: "1.0", Config: host}, New: func() connect.SinkConnector { return picky{} }},
		connect.ConverterPlugin{PluginInfo: connect.PluginInfo{Class: "x.TextConverter", Version: "1.0"}, New: converter},
		connect.ConverterPlugin{PluginInfo: connect.PluginInfo{Class: "x.TextConverter", Version: "1.5"}, New: converter},
		connect.TransformationPlugin{PluginInfo: connect.PluginInfo{Class: "x.Drop", Version: "2.0", Config: connect.MustConfigDef(
			connect.ConfigKey{Name: "field", Type: connect.ConfigString, Default: connect.Required},
			connect.ConfigKey{Name: "negate", Type: connect.ConfigInt, Default: 7})}, New: transform},
	)
}

func nullable(pairs ...string) map[string]*string {
	cfg := make(map[string]*string)
	for i := 0; i < len(pairs); i += 2 {
		cfg[pairs[i]] = &pairs[i+1]
	}
	return cfg
}

func validate(t *testing.T, reg *connect.Registry, w Worker, cfg map[string]*string) *Result {
	t.Helper()
	r, err := Validate(context.Background(), reg, w, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Result) value(name string) *Value {
	for _, c := range r.Configs {
		if c.Value != nil && c.Value.Name == name {
			return c.Value
		}
	}
	return nil
}

func TestDistributedRules(t *testing.T) {
	worker := Worker{GroupID: "connect-s", ExactlyOnce: true}
	for _, tt := range []struct {
		name   string
		source source
		worker Worker
		cfg    map[string]*string
		key    string
		want   string // in the error of the key; "" is no error
	}{
		{"sink name", source{}, worker, nullable("connector.class", "ASink", "name", "s", "topics", "t"), "name",
			"Consumer group for sink connector named s conflicts with Connect worker group connect-s"},
		{"sink group", source{}, worker, nullable("connector.class", "ASink", "name", "s", "topics", "t", "consumer.override.group.id", "connect-s"),
			"consumer.override.group.id", "Consumer group connect-s conflicts with Connect worker group connect-s"},
		{"sink group is another", source{}, worker, nullable("connector.class", "ASink", "name", "s", "topics", "t", "consumer.override.group.id", "g"), "name", ""},
		{"standalone", source{}, Worker{}, nullable("connector.class", "ASource", "name", "s", "exactly.once.support", "required"), "exactly.once.support", ""},
		{"exactly once", source{support: connect.ExactlyOnceSupported}, worker,
			nullable("connector.class", "ASource", "name", "s", "exactly.once.support", "Required"), "exactly.once.support", ""},
		{"exactly once off", source{support: connect.ExactlyOnceSupported}, Worker{GroupID: "g"},
			nullable("connector.class", "ASource", "name", "s", "exactly.once.support", "required"), "exactly.once.support",
			"This worker does not have exactly-once source support enabled."},
		{"exactly once unsupported", source{support: connect.ExactlyOnceUnsupported}, worker,
			nullable("connector.class", "ASource", "name", "s", "exactly.once.support", "required"), "exactly.once.support",
			"The connector does not support exactly-once semantics with the provided configuration."},
		{"exactly once fails", source{err: errors.New(" boom ")}, worker,
			nullable("connector.class", "ASource", "name", "s", "exactly.once.support", "required"), "exactly.once.support",
			"An unexpected error occurred during validation: boom"},
		{"boundary", source{can: true}, worker, nullable("connector.class", "ASource", "name", "s", "transaction.boundary", "connector"), "transaction.boundary", ""},
		{"boundary refused", source{}, worker, nullable("connector.class", "ASource", "name", "s", "transaction.boundary", "connector"), "transaction.boundary",
			"The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := validate(t, testRegistry(tt.source), tt.worker, tt.cfg)
			want := []string{}
			if tt.want != "" {
				want = append(want, tt.want)
			}
			if got := r.value(tt.key).Errors; !slices.Equal(got, want) || !slices.Equal(r.Errors(), want) || r.ErrorCount != len(want) {
				t.Errorf("got %q, all %q, count %d; want %q", got, r.Errors(), r.ErrorCount, want)
			}
		})
	}
}

func TestConnectorsOwnValidation(t *testing.T) {
	reg := testRegistry(source{})
	r := validate(t, reg, Worker{}, nullable("connector.class", "ASink", "name", "s", "topics", "t", "host", "gone"))
	if got := r.value("host").Errors; !slices.Equal(got, []string{"gone can't be reached"}) {
		t.Errorf("host %q", got)
	}
	if first := r.Configs[0]; first.Definition != nil || first.Value.Name != "elsewhere" || r.ErrorCount != 2 || !slices.Contains(r.Groups, "Own") {
		t.Errorf("first %+v, count %d, groups %q", first.Value, r.ErrorCount, r.Groups)
	}
	_, err := Validate(context.Background(), reg, Worker{}, nullable("connector.class", "ASink", "name", "s", "topics", "t", "host", "down"))
	if err == nil || !strings.Contains(err.Error(), "validate the configuration of connector s: no route") {
		t.Errorf("error %v", err)
	}
}

func TestNullsAreRefused(t *testing.T) {
	cfg := nullable("connector.class", "ASink", "name", "s", "topics", "t")
	cfg["host"], cfg["unknown"] = nil, nil
	r := validate(t, testRegistry(source{}), Worker{}, cfg)
	const message = "Null value can not be supplied as the configuration value."
	if got := r.value("unknown").Errors; !slices.Equal(got, []string{message}) {
		t.Errorf("unknown %q", got)
	}
}

func TestVersions(t *testing.T) {
	reg := testRegistry(source{})
	base := []string{"connector.class", "ASource", "name", "s"}
	const converter = "Plugin x.TextConverter not found that matches the version range [2.0,2.0], available versions: [1.0, 1.5]"
	r := validate(t, reg, Worker{}, nullable(append(base, "key.converter", "Text", "key.converter.plugin.version", "2.0")...))
	if !slices.Equal(r.value("key.converter").Errors, []string{converter}) || !slices.Equal(r.value("key.converter.plugin.version").Errors, []string{converter}) || r.ErrorCount != 2 {
		t.Errorf("%q", r.Errors())
	}
	r = validate(t, reg, Worker{}, nullable(append(base, "key.converter", "Text", "key.converter.plugin.version", "[1.0,1.2)")...))
	if v := r.value("key.converter.plugin.version"); r.ErrorCount != 0 || !slices.Equal(v.Recommended, []string{"1.0", "1.5"}) {
		t.Errorf("%q, recommended %q", r.Errors(), v.Recommended)
	}
	if v := validate(t, reg, Worker{}, nullable(append(base, "key.converter", "Text")...)).value("key.converter.plugin.version"); *v.Value != "1.5" {
		t.Errorf("version %s", *v.Value)
	}
	r = validate(t, reg, Worker{}, nullable(append(base, "connector.plugin.version", "9", "tasks.max", "0")...))
	const connector = "Plugin x.ASource not found that matches the version range [9,9], available versions: [1.0]"
	if !slices.Equal(r.value("connector.class").Errors, []string{connector}) || !slices.Equal(r.value("connector.plugin.version").Errors, []string{connector}) ||
		r.value("topic.creation.groups") != nil || r.ErrorCount != 3 {
		t.Errorf("%d errors: %q", r.ErrorCount, r.Errors())
	}
}

func TestVersionRanges(t *testing.T) {
	for _, tt := range []struct {
		spec, want string
		in, out    []string
	}{
		{"1.0", "[1.0,1.0]", []string{"1.0", "1", "1.0.0"}, []string{"1.0.1", "1.1", "1.0-SNAPSHOT"}},
		{"[1.0,2.0)", "[1.0,2.0)", []string{"1.0", "1.9.9", "1.10"}, []string{"2.0", "0.9"}},
		{"(,1.0],[1.2,)", "(,1.0],[1.2,)", []string{"1.0", "0.1", "1.2", "99"}, []string{"1.1"}},
		{" latest", "[latest,latest]", nil, []string{"1.0"}},
		{"latest", "", []string{"1.0"}, nil},
	} {
		r, err := parseVersionRange(tt.spec)
		if err != nil || r.String() != tt.want {
			t.Errorf("%s: %v, %v", tt.spec, r, err)
		}
		for _, v := range tt.in {
			if !r.contains(v) {
				t.Errorf("%s does not contain %s", tt.spec, v)
			}
		}
		for _, v := range tt.out {
			if r.contains(v) {
				t.Errorf("%s contains %s", tt.spec, v)
			}
		}
	}
	for spec, want := range map[string]string{
		"[1,2": "Unbounded range: [1,2", "(1)": "Single version must be surrounded by []: (1)", "[2,1]": "Range defies version ordering: [2,1]",
		"[1,3],[2,4]": "Ranges overlap: [1,3],[2,4]", "[1]2": "Only fully-qualified sets allowed in multiple set scenario: [1]2",
	} {
		if _, err := parseVersionRange(spec); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}

func TestNegateNeedsPredicate(t *testing.T) {
	r := validate(t, testRegistry(source{}), Worker{}, nullable("connector.class", "ASource", "name", "s",
		"transforms", "d", "transforms.d.type", "Drop", "transforms.d.field", "f", "transforms.d.negate", "true"))
	want := []string{"Config 'transforms.d.negate' was provided but there is no config 'transforms.d.predicate' defining a predicate to be negated."}
	if !slices.Equal(r.value("transforms.d.type").Errors, want) || !slices.Equal(r.Errors(), want) {
		t.Errorf("%q", r.Errors())
	}
}

func TestParse(t *testing.T) {
	reg := testRegistry(source{})
	got, err := ParseSource(reg, connect.Config{
		"connector.class": "ASource", "name": "s", "tasks.max": "3", "errors.tolerance": "all", "errors.retry.timeout": "-1", "config.action.reload": "none",
		"transforms": "d", "transforms.d.type": "Drop", "transforms.d.field": "f", "transforms.d.negate": "TRUE", "transforms.d.predicate": "p",
		"key.converter": "Text", "key.converter.schemas": "no", "transaction.boundary": "Interval", "transaction.boundary.interval.ms": "5",
		"exactly.once.support": "REQUIRED", "offsets.storage.topic": "o",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.TasksMax != 3 || !got.Tolerate || got.RetryTimeout != -time.Millisecond || got.RetryDelayMax != time.Minute || got.RestartOnReload || !got.EnforceTasksMax ||
		got.Boundary != BoundaryInterval || !got.HasBoundaryInterval || got.BoundaryInterval != 5*time.Millisecond || !got.ExactlyOnceRequired || got.OffsetsTopic != "o" {
		t.Errorf("got %+v", got)
	}
	if want := (Plugin{Class: "x.TextConverter", Config: connect.Config{"schemas": "no"}}); !reflect.DeepEqual(got.Key, want) || got.Value.Class != "" {
		t.Errorf("converters %+v %+v", got.Key, got.Value)
	}
	want := []Transform{{Alias: "d", Plugin: Plugin{Class: "x.Drop", Config: connect.Config{"type": "Drop", "field": "f"}}, Predicate: "p", HasPredicate: true, Negate: true}}
	if !reflect.DeepEqual(got.Transforms, want) {
		t.Errorf("transforms %+v", got.Transforms)
	}
	if _, err := ParseSink(nil, connect.Config{"connector.class": "any.Thing", "name": "s", "transforms": "z", "transforms.z.type": "Unknown"}); err != nil {
		t.Errorf("without a registry: %v", err)
	}
	_, err = ParseSink(reg, connect.Config{"connector.class": "any.Thing", "name": "s", "transforms": "z", "transforms.z.type": "Drop"})
	if err == nil || err.Error() != `Missing required configuration "transforms.z.field" which has no default value.` {
		t.Errorf("error %v", err)
	}
}

func TestDescribePlugin(t *testing.T) {
	reg := testRegistry(source{}).MustAdd(connect.OverridePolicyPlugin{
		PluginInfo: connect.PluginInfo{Class: "x.NoPolicy"}, New: func(connect.Config) (connect.OverridePolicy, error) { return nil, nil },
	})
	for name, want := range map[string][]string{"ASink": {"host", "name"}, "x.Drop": {"field", "negate"}} {
		got, err := DescribePlugin(reg, name)
		if err != nil || len(got) < 2 || got[0].Name != want[0] || got[1].Name != want[1] {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	sink, _ := DescribePlugin(reg, "ASink")
	if version := sink[3]; version.Name != "connector.plugin.version" || *version.Default != "1.0" || sink[len(sink)-1].Name != "errors.deadletterqueue.context.headers.enable" {
		t.Errorf("sink %+v", version)
	}
	if _, err := DescribePlugin(reg, "Nope"); !errors.Is(err, connect.ErrNotFound) || err.Error() != "Unknown plugin Nope." {
		t.Errorf("error %v", err)
	}
	var bad *RequestError
	if _, err := DescribePlugin(reg, "NoPolicy"); !errors.As(err, &bad) {
		t.Errorf("error %v", err)
	}
}

func TestWithCommonKeys(t *testing.T) {
	own, err := WithCommonKeys(connect.MustConfigDef(connect.ConfigKey{Name: "host", Type: connect.ConfigString}))
	if err != nil {
		t.Fatal(err)
	}
	reg := testRegistry(source{}).MustAdd(connect.SourcePlugin{
		PluginInfo: connect.PluginInfo{Class: "x.Mirror", Version: "3", Config: own}, New: func() connect.SourceConnector { return source{} },
	})
	got, err := DescribePlugin(reg, "Mirror")
	if err != nil || got[0].Name != "name" || got[2].Default != nil || got[len(commonKeys())].Name != "host" {
		t.Errorf("got %v, %v", got, err)
	}
	r := validate(t, reg, Worker{KeyConverter: ConverterChoice{Class: "Text"}}, nullable("connector.class", "Mirror", "name", "m", "tasks.max", "0"))
	if v := r.value("key.converter"); v.Value != nil || len(v.Recommended) != 0 || r.value("key.converter.plugin.version").Visible || r.ErrorCount != 1 {
		t.Errorf("key.converter %+v, %d errors", v, r.ErrorCount)
	}
	if _, err := WithCommonKeys(own); err == nil {
		t.Error("twice: no error")
	}
}

func FuzzValidate(f *testing.F) {
	f.Add("ASource", "transforms", "a,b,a", "transforms.a.type", "Drop")
	f.Add("ASink", "topics.regex", "(a|b", "errors.deadletterqueue.topic.name", "a")
	f.Add("ASource", "key.converter", " Text ", "key.converter.plugin.version", "[1,2),(3,)")
	f.Add("ASource", "predicates", ",", "predicates..type", "")
	reg := testRegistry(source{})
	f.Fuzz(func(t *testing.T, class, k1, v1, k2, v2 string) {
		cfg := nullable("connector.class", class, "name", "s", k1, v1, k2, v2)
		r, err := Validate(context.Background(), reg, Worker{GroupID: "g"}, cfg)
		if err != nil {
			return
		}
		if r.ErrorCount == 0 {
			text := connect.Config{}
			for key, value := range cfg {
				text[key] = *value
			}
			if _, isSource := reg.Source(*cfg["connector.class"]); isSource {
				_, err = ParseSource(reg, text)
			} else {
				_, err = ParseSink(reg, text)
			}
			if err != nil {
				t.Fatalf("validation accepts %q, parsing does not: %v", text, err)
			}
		}
	})
}

// A configuration may come from anyone: thousands of transformations must not take more than moments.
func BenchmarkValidateManyTransformations(b *testing.B) {
	const n = 2000
	aliases := make([]string, n)
	pairs := []string{"connector.class", "ASource", "name", "s"}
	for i := range aliases {
		aliases[i] = fmt.Sprint("t", i)
		pairs = append(pairs, "transforms."+aliases[i]+".type", "Drop", "transforms."+aliases[i]+".field", "f")
	}
	cfg := nullable(append(pairs, "transforms", strings.Join(aliases, ","))...)
	reg := testRegistry(source{})
	b.ReportAllocs()
	for b.Loop() {
		r, err := Validate(context.Background(), reg, Worker{}, cfg)
		if err != nil || r.ErrorCount != 0 {
			b.Fatal(err, r)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	cfg := nullable("connector.class", "ASource", "name", "s", "transforms", "d", "transforms.d.type", "Drop", "transforms.d.field", "f")
	reg := testRegistry(source{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Validate(context.Background(), reg, Worker{}, cfg); err != nil {
			b.Fatal(err)
		}
	}
}
