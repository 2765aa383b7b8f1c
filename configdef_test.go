package connect_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

func TestConfigDefinitionErrors(t *testing.T) {
	key := func(name string, typ connect.ConfigType, def any) connect.ConfigKey {
		return connect.ConfigKey{Name: name, Type: typ, Default: def}
	}
	for _, tt := range []struct {
		name string
		keys []connect.ConfigKey
		want string
	}{
		{"no name", []connect.ConfigKey{{Type: connect.ConfigInt}}, "A configuration key has no name"},
		{"no type", []connect.ConfigKey{{Name: "a"}}, "Configuration a has the unknown type 0"},
		{"twice", []connect.ConfigKey{key("a", connect.ConfigInt, 1), key("a", connect.ConfigInt, 1)}, "Configuration a is defined twice."},
		{"bad default", []connect.ConfigKey{key("a", connect.ConfigShort, 70000)},
			"Invalid value 70000 for configuration a: Expected value to be a 16-bit integer (short), but it was a java.lang.Long"},
		{"refused default", []connect.ConfigKey{{Name: "a", Type: connect.ConfigInt, Validator: connect.AtLeast(1)}},
			"Invalid value null for configuration a: Value must be non-null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connect.NewConfigDef(tt.keys...)
			var ce *connect.ConfigError
			if !errors.As(err, &ce) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestConfigDefIsNotChangedByDerivedOnes(t *testing.T) {
	base := connect.MustConfigDef(connect.ConfigKey{Name: "a", Type: connect.ConfigInt, Default: 1, Group: "G", Dependents: []string{"b"}})
	if _, err := base.With(connect.ConfigKey{Name: "b", Type: connect.ConfigString, Group: "H"}); err != nil {
		t.Fatal(err)
	}
	if _, err := base.Replace(connect.ConfigKey{Name: "a", Type: connect.ConfigLong}); err != nil {
		t.Fatal(err)
	}
	base.Keys()[0].Dependents[0] = "z"
	base.Groups()[0] = "z"
	k, _ := base.Key("a")
	if base.Len() != 1 || k.Type != connect.ConfigInt || k.Dependents[0] != "b" || !reflect.DeepEqual(base.Groups(), []string{"G"}) {
		t.Errorf("base changed: %+v %v", base.Keys(), base.Groups())
	}
}

func TestConfigEmbed(t *testing.T) { // CFG-44
	child := connect.MustConfigDef(
		connect.ConfigKey{Name: "late", Type: connect.ConfigInt, Default: 5, Importance: connect.Low, Validator: connect.AtLeast(1)},
		connect.ConfigKey{Name: "in", Type: connect.ConfigString, Default: "x", Group: "Inner"},
		connect.ConfigKey{Name: "first", Type: connect.ConfigString, Default: connect.Required, Dependents: []string{"late"}, Recommender: seesOnly{"first", "late", "in"}},
	)
	base := connect.MustConfigDef(connect.ConfigKey{Name: "other", Type: connect.ConfigString})
	def, err := base.Embed("t.", "T", 3, child)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range def.Keys() {
		got = append(got, fmt.Sprintf("%s/%s/%d/%s/%s", k.Name, k.Group, k.Order, k.DisplayName, strings.Join(k.Dependents, ",")))
	}
	want := []string{"other//-1/other/", "t.first/T/3/first/t.late", "t.late/T/4/late/", "t.in/T: Inner/5/in/"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	values := def.Validate(connect.Config{"t.first": "f", "t.late": "0"})
	if got := values["t.late"].Errors; !reflect.DeepEqual(got, []string{"Invalid value 0 for configuration late: Value must be at least 1"}) {
		t.Errorf("errors %q", got)
	}
	if got := values["t.first"].Recommended; !reflect.DeepEqual(got, []any{"ok"}) {
		t.Errorf("recommended %v, errors %v", got, values["t.first"].Errors)
	}
}

// seesOnly recommends "ok" if it is asked about these keys and no other.
type seesOnly []string

func (s seesOnly) ValidValues(key string, values map[string]any) ([]any, error) {
	if len(values) != len(s) || key != s[0] {
		return nil, errors.New("wrong keys")
	}
	for _, name := range s {
		if _, ok := values[name]; !ok {
			return nil, errors.New("missing " + name)
		}
	}
	return []any{"ok"}, nil
}

func (s seesOnly) Visible(string, map[string]any) bool { return true }

// dwindling recommends fewer values each time.
type dwindling struct{ calls *int }

func (d dwindling) ValidValues(string, map[string]any) ([]any, error) {
	*d.calls++
	return []any{1, 2, 3}[*d.calls-1:], nil
}

func (d dwindling) Visible(string, map[string]any) bool { return true }

func TestConfigDependents(t *testing.T) { // CFG-40, CFG-41
	calls := 0
	def := connect.MustConfigDef(
		connect.ConfigKey{Name: "child", Type: connect.ConfigInt, Default: connect.Required, Recommender: dwindling{&calls}, Dependents: []string{"child"}},
		connect.ConfigKey{Name: "p1", Type: connect.ConfigInt, Default: 1, Dependents: []string{"child"}},
		connect.ConfigKey{Name: "p2", Type: connect.ConfigInt, Default: 1, Dependents: []string{"child"}},
	)
	child := def.Validate(connect.Config{"child": "x"})["child"]
	if calls != 2 || !reflect.DeepEqual(child.Recommended, []any{2, 3}) {
		t.Errorf("%d calls, recommended %v", calls, child.Recommended)
	}
	want := "Invalid value x for configuration child: Not a number of type INT"
	if !reflect.DeepEqual(child.Errors, []string{want, want}) {
		t.Errorf("errors %q", child.Errors)
	}
}

func testDef() *connect.ConfigDef {
	return connect.MustConfigDef(
		connect.ConfigKey{Name: "b", Type: connect.ConfigBoolean, Default: "true"},
		connect.ConfigKey{Name: "s", Type: connect.ConfigString, Default: "x"},
		connect.ConfigKey{Name: "i", Type: connect.ConfigInt, Default: 7, Validator: connect.Between(0, 100)},
		connect.ConfigKey{Name: "h", Type: connect.ConfigShort, Default: 8},
		connect.ConfigKey{Name: "l", Type: connect.ConfigLong, Default: 9},
		connect.ConfigKey{Name: "d", Type: connect.ConfigDouble, Default: 1.5},
		connect.ConfigKey{Name: "list", Type: connect.ConfigList, Default: "a,b", Validator: connect.AnyNonDuplicate(true, true)},
		connect.ConfigKey{Name: "items", Type: connect.ConfigList, Default: nil},
		connect.ConfigKey{Name: "c", Type: connect.ConfigClass, Default: nil},
		connect.ConfigKey{Name: "p", Type: connect.ConfigPassword, Default: "secret"},
	)
}

func TestParsedConfig(t *testing.T) {
	p, err := testDef().Parse(connect.Config{"i": "5", "l": "1500", "x.i": "6", "x.y": "z", "unknown": "u", "list": "c,c"})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Bool("b") || p.String("s") != "x" || p.Int("i") != 5 || p.Int("h") != 8 || p.Long("l") != 1500 || p.Long("i") != 5 ||
		p.Double("d") != 1.5 || p.Duration("l") != 1500*time.Millisecond || p.Password("p").Reveal() != "secret" || p.String("c") != "" {
		t.Errorf("wrong values: %v", p.Values())
	}
	if got := p.List("list"); !reflect.DeepEqual(got, []string{"c"}) || p.List("items") != nil || p.Has("items") || !p.Has("list") {
		t.Errorf("lists %v %v", got, p.List("items"))
	}
	if _, err := p.Value("zz"); err == nil || err.Error() != "Unknown configuration 'zz'" {
		t.Errorf("error %v", err)
	}
	o, err := p.WithPrefixOverride("x.")
	if err != nil || o.Int("i") != 6 || p.Int("i") != 5 || o.Long("l") != 1500 {
		t.Errorf("override: %v %v", o, err)
	}
	if got := p.GivenWithPrefix("x."); !reflect.DeepEqual(got, connect.Config{"i": "6", "y": "z"}) {
		t.Errorf("prefix %v", got)
	}
	if got := p.Unused(); !reflect.DeepEqual(got, []string{"unknown"}) {
		t.Errorf("unused %v", got)
	}
	all, err := p.WithPrefixAllOrNothing("x.")
	if err != nil || all.Int("i") != 6 || all.Has("l") {
		t.Errorf("all or nothing: %v %v", all.Values(), err)
	}
	if none, err := p.WithPrefixAllOrNothing("none."); err != nil || none.Long("l") != 1500 {
		t.Errorf("all or nothing: %v", err)
	}
	for name, call := range map[string]func(){
		"unknown key": func() { p.Int("zz") },
		"wrong type":  func() { p.Int("s") },
		"no list":     func() { p.List("s") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func TestConfigDoubles(t *testing.T) { // what Java's Double.parseDouble takes
	def := connect.MustConfigDef(connect.ConfigKey{Name: "d", Type: connect.ConfigDouble})
	for text, want := range map[string]float64{
		"1.": 1, ".5": .5, "-.5d": -.5, "+2F": 2, "1e400": math.Inf(1), "-1e400": math.Inf(-1), "0x1p-1": .5, "0x.8p1f": 1, "0x1.8p1": 3,
		"-Infinity": math.Inf(-1), "+Infinity": math.Inf(1), "1e-999": 0,
	} {
		p, err := def.Parse(connect.Config{"d": text})
		if err != nil || p.Double("d") != want {
			t.Errorf("%s: got %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"inf", "nan", "infinity", "1_0", "0x1", "0xf", "--1", "", ".", "d", "1ff", "e5", "0x1_0p1", "+"} {
		if _, err := def.Parse(connect.Config{"d": text}); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestConfigDocumentation(t *testing.T) {
	def := connect.MustConfigDef(
		connect.ConfigKey{Name: "z", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High, Documentation: "a | <b>"},
		connect.ConfigKey{Name: "wait.ms", Type: connect.ConfigLong, Default: 60000, Group: "G", Validator: connect.AtLeast(0)},
		connect.ConfigKey{Name: "size.bytes", Type: connect.ConfigInt, Default: 1048576, Group: "G", Order: 1},
		connect.ConfigKey{Name: "hidden", Type: connect.ConfigLong, Internal: true},
	)
	md := def.Markdown()
	for _, want := range []string{
		"| `z` | a \\| &lt;b&gt; | string |  |  | high |\n", "### G\n",
		"| `wait.ms` |  | long | 60000 (1 minute) | [0,...] | medium |\n", "| `size.bytes` |  | int | 1048576 (1 mebibyte) |",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("no %q in\n%s", want, md)
		}
	}
	if html := def.HTML(); !strings.Contains(html, "<td>a | &lt;b&gt;</td>") || strings.Contains(html, "hidden") || strings.Contains(md, "hidden") {
		t.Errorf("html %s", html)
	}
}

func FuzzConfigParse(f *testing.F) {
	f.Add("true", " x ", "5", "1e3f", "a, b,,c")
	f.Add("FALSE", "\x00", "\u0663", "NaN", ", ,")
	f.Add("", "", "-1", "0x1p3", "\t,\v,\x00 ")
	def := testDef()
	f.Fuzz(func(t *testing.T, b, s, i, d, list string) {
		cfg := connect.Config{"b": b, "s": s, "i": i, "h": i, "l": i, "d": d, "list": list, "items": list, "c": s, "p": s}
		first, err := def.Parse(cfg)
		if valid := def.Validate(cfg).Valid(); err != nil {
			if valid {
				t.Fatalf("validation does not see %v", err)
			}
			return
		}
		again, err := def.Parse(first.Text())
		if err != nil {
			t.Fatalf("%q: %v", first.Text(), err)
		}
		for key, want := range first.Values() {
			got := again.Values()[key]
			if !connect.EqualValues(got, want) {
				t.Fatalf("%s: %#v became %#v", key, want, got)
			}
		}
	})
}
