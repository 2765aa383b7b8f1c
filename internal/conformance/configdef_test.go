package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
)

// configAny is a typed value of a configuration.
type configAny struct{ v any }

func (a *configAny) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		a.v = text
		return nil
	}
	var typed struct {
		T string
		V json.RawMessage
	}
	if err := json.Unmarshal(b, &typed); err != nil {
		return err
	}
	unquoted := func() string {
		var s string
		if json.Unmarshal(typed.V, &s) != nil {
			return string(typed.V)
		}
		return s
	}
	var err error
	switch typed.T {
	case "boolean":
		a.v = string(typed.V) == "true"
	case "int8", "int16", "int32", "int64":
		bits, _ := strconv.Atoi(typed.T[3:])
		var n int64
		n, err = strconv.ParseInt(unquoted(), 10, bits)
		a.v = map[int]any{8: int8(n), 16: int16(n), 32: int32(n), 64: n}[bits]
	case "float32":
		var f float64
		f, err = strconv.ParseFloat(unquoted(), 32)
		a.v = float32(f)
	case "float64":
		a.v, err = strconv.ParseFloat(unquoted(), 64)
	case "string", "class":
		a.v = unquoted()
	case "password":
		a.v = connect.NewPassword(unquoted())
	case "bytes":
		a.v, err = base64.StdEncoding.DecodeString(unquoted())
	case "array":
		items := []configAny{}
		err = json.Unmarshal(typed.V, &items)
		list := make([]any, len(items))
		for i := range items {
			list[i] = items[i].v
		}
		a.v = list
	case "map":
		entries := [][2]configAny{}
		err = json.Unmarshal(typed.V, &entries)
		m := connect.NewMapValue(len(entries))
		for _, e := range entries {
			m.Set(e[0].v, e[1].v)
		}
		a.v = m
	default:
		err = fmt.Errorf("unknown type %q", typed.T)
	}
	return err
}

// plainValue turns a parsed value into what the vectors hold.
func plainValue(v any) any {
	if list, ok := v.([]string); ok {
		items := make([]any, len(list))
		for i := range list {
			items[i] = list[i]
		}
		return items
	}
	return v
}

// decode reads a part of a case.
func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("decode %s: %v", raw, err)
	}
	return v
}

// wantConfigError compares an error with the expected one; of a java.* exception only that there is an error counts.
func wantConfigError(t *testing.T, c conformance.Case, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Fatalf("no error, want %q", c.Error.Message)
	case strings.HasPrefix(c.Error.Class, "java."), strings.Contains(c.Error.Message, "Invalid regex: "):
	case err.Error() != c.Error.Message:
		t.Fatalf("error %q\nwant  %q", err, c.Error.Message)
	}
}

// javaClasses are the classes outside Connect that the vectors take for granted.
func javaClasses(name string) (string, bool) {
	return name, strings.HasPrefix(name, "java.lang.") || strings.HasPrefix(name, "org.apache.kafka.connect.")
}

func configTypeOf(t *testing.T, name string) connect.ConfigType {
	t.Helper()
	for typ := connect.ConfigBoolean; typ <= connect.ConfigPassword; typ++ {
		if typ.String() == name {
			return typ
		}
	}
	t.Fatalf("unknown type %q", name)
	return 0
}

func TestConfigParseType(t *testing.T) {
	conformance.Run(t, "data/config/parsetype.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Name, Type string
			Value      configAny
		}](t, c.In)
		def, err := connect.NewConfigDef(connect.ConfigKey{Name: in.Name, Type: configTypeOf(t, in.Type), Default: connect.Required})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := def.WithClasses(javaClasses).ParseValues(map[string]any{in.Name: in.Value.v})
		if c.Error != nil {
			wantConfigError(t, c, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		want := decode[struct{ Value configAny }](t, c.Out).Value.v
		if got := plainValue(parsed.Values()[in.Name]); !sameConfigValue(got, want) {
			t.Fatalf("got %T %v, want %T %v", got, got, want, want)
		}
	})
}

func sameConfigValue(a, b any) bool {
	return connect.EqualValues(a, b) || reflect.DeepEqual(a, b)
}

func TestConfigToString(t *testing.T) {
	conformance.Run(t, "data/config/tostring.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Type  string
			Value configAny
		}](t, c.In)
		want := decode[struct{ Text *string }](t, c.Out).Text
		got, ok := configTypeOf(t, in.Type).Format(in.Value.v)
		if ok != (want != nil) || ok && got != *want {
			t.Fatalf("got %q %v, want %s", got, ok, c.Out)
		}
	})
}

// vectorKey is a key of a definition.
type vectorKey struct {
	Name, Type  string
	Default     json.RawMessage
	Validator   []any
	Group       string
	Order       int
	Dependents  []string
	Recommender *struct {
		Values    []any
		VisibleIf string
	}
}

func (k vectorKey) key(t *testing.T) connect.ConfigKey {
	key := connect.ConfigKey{
		Name: k.Name, Type: configTypeOf(t, k.Type), Default: connect.Required, Group: k.Group, Order: k.Order, Dependents: k.Dependents,
	}
	if k.Default != nil {
		key.Default = decode[configAny](t, k.Default).v
	}
	if k.Validator != nil {
		key.Validator = vectorValidator(t, k.Validator, k.Type)
	}
	if k.Recommender != nil {
		key.Recommender = vectorRecommender{k.Recommender.Values, k.Recommender.VisibleIf}
	}
	return key
}

type vectorRecommender struct {
	values    []any
	visibleIf string
}

func (r vectorRecommender) ValidValues(string, map[string]any) ([]any, error) {
	return append([]any{}, r.values...), nil
}

func (r vectorRecommender) Visible(_ string, values map[string]any) bool {
	return r.visibleIf == "" || values[r.visibleIf] == true
}

func vectorValidator(t *testing.T, spec []any, typ string) connect.ConfigValidator {
	args := spec[1:]
	texts := func() []string {
		texts := make([]string, len(args))
		for i := range args {
			texts[i] = args[i].(string)
		}
		return texts
	}
	number := func(i int) float64 { return args[i].(float64) }
	switch name := spec[0].(string); name {
	case "atLeast":
		if typ == "DOUBLE" {
			return connect.AtLeast(number(0))
		}
		return connect.AtLeast(int(number(0)))
	case "between":
		if typ == "DOUBLE" {
			return connect.Between(number(0), number(1))
		}
		return connect.Between(int(number(0)), int(number(1)))
	case "ValidString":
		return connect.ValidString(texts()...)
	case "CaseInsensitiveValidString":
		return connect.CaseInsensitiveValidString(texts()...)
	case "NonNull":
		return connect.NonNull()
	case "NonEmptyString":
		return connect.NonEmptyString()
	case "NonEmptyStringWithoutControlChars":
		return connect.NonEmptyStringWithoutControlChars()
	case "ListSize":
		return connect.ListSize(int(number(0)))
	case "ValidList":
		return connect.ValidList(texts()...)
	case "ValidListNonEmpty":
		return connect.ValidListNonEmpty(texts()...)
	case "AnyNonDuplicate":
		return connect.AnyNonDuplicate(args[0].(bool), args[1].(bool))
	case "Composite":
		all := make([]connect.ConfigValidator, len(args))
		for i := range args {
			all[i] = vectorValidator(t, args[i].([]any), typ)
		}
		return connect.AllOf(all...)
	default:
		t.Fatalf("unknown validator %q", name)
		return nil
	}
}

func TestConfigDef(t *testing.T) {
	type value struct {
		Name        string
		Value       configAny
		Recommended []any
		Errors      []string
		Visible     bool
	}
	conformance.Run(t, "data/config/configdef.jsonl", func(t *testing.T, c conformance.Case) {
		in := decode[struct {
			Op        string
			Keys      []vectorKey
			Props     map[string]configAny
			Validator json.RawMessage
		}](t, c.In)
		if in.Op == "" {
			typ := "INT"
			if strings.Contains(string(in.Validator), ".") {
				typ = "DOUBLE"
			}
			want := decode[struct{ Text string }](t, c.Out).Text
			if got := vectorValidator(t, decode[[]any](t, in.Validator), typ).String(); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
			return
		}
		var keys []connect.ConfigKey
		for _, k := range in.Keys {
			keys = append(keys, k.key(t))
		}
		def, err := connect.NewConfigDef(keys...)
		if in.Op == "define" && c.Error != nil {
			wantConfigError(t, c, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		def = def.WithClasses(javaClasses)
		props := make(map[string]any)
		for name, v := range in.Props {
			props[name] = v.v
		}
		switch in.Op {
		case "define":
		case "parse":
			parsed, err := def.ParseValues(props)
			if c.Error != nil {
				wantConfigError(t, c, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := decode[struct{ Values map[string]configAny }](t, c.Out).Values
			if len(want) != len(parsed.Values()) {
				t.Fatalf("got %v, want %v", parsed.Values(), want)
			}
			for name, w := range want {
				got, ok := parsed.Values()[name]
				if got = plainValue(got); !ok || !sameConfigValue(got, w.v) {
					t.Fatalf("%s: got %T %v, want %T %v", name, got, got, w.v, w.v)
				}
			}
		case "validate":
			values := def.ValidateValues(props)
			if c.Error != nil {
				if !strings.HasPrefix(c.Error.Class, "java.") || values.Valid() {
					t.Fatalf("no error, want %v", c.Error.Message)
				}
				return
			}
			want := decode[struct{ Configs []value }](t, c.Out).Configs
			got := def.List(values)
			if len(got) != len(want) {
				t.Fatalf("got %d values, want %d", len(got), len(want))
			}
			for i, w := range want {
				g := value{got[i].Name, configAny{plainValue(got[i].Value)}, got[i].Recommended, got[i].Errors, got[i].Visible}
				g.Recommended, g.Errors = append([]any{}, g.Recommended...), append([]string{}, g.Errors...)
				if !sameConfigValue(g.Value.v, w.Value.v) {
					t.Errorf("value %d: got %v, want %v", i, g.Value, w.Value)
				}
				g.Value, w.Value = configAny{}, configAny{}
				if !reflect.DeepEqual(g, w) {
					t.Errorf("value %d:\ngot  %+v\nwant %+v", i, g, w)
				}
			}
		default:
			t.Fatalf("unknown op %q", in.Op)
		}
	})
}
