package jsonconv

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gokconnect/connect"
)

func decode(t *testing.T, c *Converter, doc string) (connect.SchemaAndValue, error) {
	t.Helper()
	b := []byte(doc)
	sv, err := c.ToConnect(t.Context(), "t", nil, b)
	if string(b) != doc {
		t.Errorf("the document was changed to %q", b)
	}
	clear(b) // the value must not live in it
	return sv, err
}

func TestRepeatedSchemaIsTheSame(t *testing.T) {
	const schema = `{"type":"struct","fields":[{"type":"string","optional":false,"field":"a"}],"optional":false}`
	c := New(Options{})
	var first *connect.Schema
	for i, doc := range []string{
		`{"schema":%s,"payload":{"a":"x"}}`,
		`{"schema":%s,"payload":{"a":"x"}}`,
		`{"payload":{"a":"x"},"schema":%s}`,
		`{"payload":{"a":"x"},"schema":%s}`,
		` { "payload" : { "a" : "x" } , "schema" : %s } `,
		` { "schema" : %s , "payload" : { "a" : "x" } } `,
		`{"\u0073chema":%s,"payload":{"a":"x"}}`,
		`{"schema":null,"payload":{"a":"x"},"schema":%s}`,
	} {
		sv, err := decode(t, c, fmt.Sprintf(doc, schema))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = sv.Schema
		}
		if sv.Schema != first {
			t.Errorf("%s: another schema", doc)
		}
		if st := sv.Value.(*connect.Struct); st.Value("a") != "x" || st.Schema() != first {
			t.Errorf("%s: %v", doc, st)
		}
	}
}

func TestAlternatingSchemas(t *testing.T) {
	c := New(Options{})
	docs := []string{
		`{"schema":{"type":"int32","optional":false},"payload":1}`,
		`{"payload":"a","schema":{"type":"string","optional":false}}`,
		`{"schema":null,"payload":[1]}`,
	}
	values := []any{int32(1), "a", []any{int64(1)}}
	schemas := make([]*connect.Schema, len(docs))
	for round := range 3 {
		for i, doc := range docs {
			sv, err := decode(t, c, doc)
			if err != nil || !connect.EqualValues(sv.Value, values[i]) {
				t.Fatalf("%s: %v, %v", doc, sv.Value, err)
			}
			if round == 0 {
				schemas[i] = sv.Schema
			} else if sv.Schema != schemas[i] {
				t.Errorf("%s: another schema", doc)
			}
		}
	}
}

func TestRememberedSchemasAreBounded(t *testing.T) {
	c := New(Options{CacheSize: 10})
	for i := range 1000 {
		doc := fmt.Sprintf(`{"schema":{"type":"int32","version":%d},"payload":1}`, i)
		sv, err := decode(t, c, doc)
		if err != nil {
			t.Fatal(err)
		}
		mustEncode(t, c, sv.Schema, sv.Value)
	}
	if n := len(c.read.young) + len(c.read.old); n > 10 {
		t.Errorf("%d schemas that were read", n)
	}
	if n := len(c.written.young) + len(c.written.old); n > 10 {
		t.Errorf("%d schemas that were written", n)
	}
}

func TestCacheForgetsWhatCostsTooMuch(t *testing.T) {
	c := newCache[int, int](100, 10)
	for i := range 100 {
		c.put(i, i, 5)
	}
	c.put(1000, 1000, 11)
	if n := len(c.young) + len(c.old); n > 4 {
		t.Errorf("%d entries", n)
	}
	if v, ok := c.get(99); !ok || v != 99 {
		t.Error("the last one is not there")
	}
	none := newCache[int, int](-1, 10)
	none.put(1, 1, 1)
	if _, ok := none.get(1); ok {
		t.Error("a cache of no size keeps something")
	}
}

func TestNestingIsBounded(t *testing.T) {
	c := New(Options{NoSchemas: true})
	for _, kind := range []struct{ open, inner, end string }{{"[", "", "]"}, {`{"a":`, "1", "}"}} {
		for n, ok := range map[int]bool{1000: true, 1001: false, 100000: false} {
			doc := strings.Repeat(kind.open, n) + kind.inner + strings.Repeat(kind.end, n)
			sv, err := decode(t, c, doc)
			if (err == nil) != ok {
				t.Errorf("%d times %s: %v", n, kind.open, err)
			}
			if ok && string(mustEncode(t, c, nil, sv.Value)) != doc {
				t.Errorf("%d times %s: encoded otherwise", n, kind.open)
			}
		}
	}
	loop := make([]any, 1)
	loop[0] = loop
	_, err := c.FromConnect(t.Context(), "t", nil, nil, loop)
	var bad *connect.DataError
	if !errors.As(err, &bad) || bad.Message != "Converting Kafka Connect data to byte[] failed due to serialization error: " {
		t.Errorf("a list that contains itself: %v", err)
	}
}

// Texts of numbers that are long or have an enormous exponent cost no time or memory.
func TestHugeNumbers(t *testing.T) {
	c := New(Options{NoSchemas: true})
	digits := strings.Repeat("9", 1000)
	for doc, ok := range map[string]bool{
		digits: true, digits + "9": false, "1e2147483647": true, "1e2147483648": false, "1e-2147483647": true, "1e-2147483648": false,
		"1.5e-2147483646": true, "1.5e-2147483647": false, "1e" + strings.Repeat("0", 900) + "1": true, "1e" + digits: false,
	} {
		if _, err := decode(t, c, doc); (err == nil) != ok {
			t.Errorf("%.40s: %v", doc, err)
		}
	}
	for typ, want := range map[string]any{"int8": int8(0), "int64": int64(0)} {
		sv, err := decode(t, New(Options{}), `{"schema":{"type":"`+typ+`"},"payload":1e2147483647}`)
		if err != nil || sv.Value != want {
			t.Errorf("%s: %v, %v", typ, sv.Value, err)
		}
	}
}

// Fractions of few digits are read in a way of their own.
func TestFractions(t *testing.T) {
	c := New(Options{NoSchemas: true})
	for range 100_000 {
		digits := 1 + rand.IntN(18)
		scale := 1 + rand.IntN(digits)
		doc := strconv.Itoa(rand.IntN(int(math.Pow10(digits))))
		doc = strings.Repeat("0", max(0, scale+1-len(doc))) + doc
		doc = doc[:len(doc)-scale] + "." + doc[len(doc)-scale:]
		if rand.IntN(2) == 0 {
			doc = "-" + doc
		}
		want, err := strconv.ParseFloat(doc, 64)
		if err != nil {
			t.Fatal(err)
		}
		sv, err := decode(t, c, doc)
		got, ok := sv.Value.(float64)
		if err != nil || !ok || got != want || got == 0 && math.Signbit(got) {
			t.Errorf("%s is %v (%v), expected %v", doc, sv.Value, err, want)
		}
	}
}

func TestGoValues(t *testing.T) {
	c := New(Options{NoSchemas: true})
	for want, v := range map[string]any{
		`{"a":1,"b":[true,null]}`: map[string]any{"b": []any{true, nil}, "a": 1},
		`{"k":"v"}`:               map[string]string{"k": "v"},
		`[[1,"x"]]`:               map[any]any{int32(1): "x"},
		`"�"`:                     "\xff",
		`"AQI="`:                  []byte{1, 2},
		`""`:                      []byte{},
		`{}`:                      connect.NewMapValue(0),
	} {
		if got := mustEncode(t, c, nil, v); string(got) != want {
			t.Errorf("%#v became %s, expected %s", v, got, want)
		}
	}
	// A nil pointer in a value is null.
	for s, v := range map[*connect.Schema]any{
		connect.OptionalBytesSchema:                                  []byte(nil),
		connect.NewSchema(connect.TypeStruct).Optional().MustBuild(): (*connect.Struct)(nil),
	} {
		if got := mustEncode(t, c, s, v); string(got) != "null" {
			t.Errorf("%T(nil) became %s", v, got)
		}
	}
}

func TestFailureKeepsTheBuffer(t *testing.T) {
	c := New(Options{})
	s := connect.NewArray(connect.Int32Schema).MustBuild()
	out, null, err := c.AppendFromConnect(t.Context(), []byte("before"), "t", nil, s, []any{int32(1), "x"})
	var bad *connect.DataError
	if string(out) != "before" || null || !errors.As(err, &bad) || bad.Message != "Invalid type for INT32: class java.lang.String" {
		t.Errorf("%q, %v, %v", out, null, err)
	}
}

// An error says where a document is wrong and does not show it.
func TestSyntaxErrorsKeepSecrets(t *testing.T) {
	_, err := decode(t, New(Options{}), `{"password":"hunter2`)
	if err == nil || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "byte 12") {
		t.Error(err)
	}
}

func TestParseSchema(t *testing.T) {
	s, err := ParseSchema([]byte(`{"type":"array","items":{"type":"int8"}}`))
	if err != nil || !s.Equal(connect.NewArray(connect.Int8Schema).MustBuild()) {
		t.Errorf("%v, %v", s, err)
	}
	if s, err := ParseSchema([]byte("null")); s != nil || err != nil {
		t.Errorf("null: %v, %v", s, err)
	}
	if _, err := ParseSchema([]byte("{")); err == nil {
		t.Error("no error")
	}
}

func TestConcurrentUse(t *testing.T) {
	c := New(Options{CacheSize: 2})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for n := range 200 {
				s := connect.NewSchema(connect.TypeString).Version(int32((n + i) % 5)).MustBuild()
				text := fmt.Sprintf("text %d of %d", n, i)
				b, err := c.FromConnect(t.Context(), "t", nil, s, text)
				if err != nil {
					t.Error(err)
					return
				}
				sv, err := c.ToConnect(t.Context(), "t", nil, b)
				if err != nil || sv.Value != text || !sv.Schema.Equal(s) {
					t.Errorf("%v, %v", sv, err)
				}
			}
		})
	}
	group.Wait()
}

// A struct costs its two parts, a copy of the document, and one allocation for all texts and one for all numbers.
func TestAllocations(t *testing.T) {
	for _, n := range []int{4, 50} {
		s := orderSchema(n)
		c := New(Options{})
		v := order(s)
		doc := mustEncode(t, c, s, v)
		if _, err := decode(t, c, string(doc)); err != nil {
			t.Fatal(err)
		}
		got := 100.0
		for range 20 { // the pool of decoders may be emptied meanwhile
			got = min(got, testing.AllocsPerRun(1, func() { c.ToConnect(t.Context(), "t", nil, doc) }))
		}
		if got > 5 {
			t.Errorf("%d fields: %v allocations to decode", n, got)
		}
		buf := make([]byte, 0, 2*len(doc))
		got = testing.AllocsPerRun(100, func() { c.AppendFromConnect(t.Context(), buf, "t", nil, s, v) })
		if got > 0 {
			t.Errorf("%d fields: %v allocations to encode", n, got)
		}
	}
}

func TestPluginsAreFound(t *testing.T) {
	r := new(connect.Registry).MustAdd(Plugin(), HeaderPlugin())
	for _, name := range []string{Class, "JsonConverter", "Json"} {
		p, ok := r.Converter(name)
		if !ok {
			t.Fatalf("no converter %s", name)
		}
		c, err := p.New(connect.Config{"schemas.enable": "false"}, connect.KeyRole)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := c.FromConnect(t.Context(), "t", nil, connect.StringSchema, "a"); string(b) != `"a"` || err != nil {
			t.Errorf("%s, %v", b, err)
		}
	}
	if _, ok := r.HeaderConverter("JsonConverter"); !ok {
		t.Error("no header converter")
	}
	var bad *connect.ConfigError
	if _, err := Plugin().New(connect.Config{"decimal.format": "x"}, connect.ValueRole); !errors.As(err, &bad) || bad.Key != "decimal.format" {
		t.Errorf("a bad configuration: %v", err)
	}
}

// Names of members are remembered within bounds, whatever they are.
func TestManyNames(t *testing.T) {
	c := New(Options{NoSchemas: true})
	for i := range 300 {
		want := connect.NewMapValue(0)
		for n := range 40 {
			name := fmt.Sprintf("name %d", i*20+n) // half of them were in the document before
			if n%10 == 0 {
				name = fmt.Sprintf("%s %d %d", strings.Repeat("long", 20), i, n)
			}
			want.Set(name, connect.MapOf(connect.Entry{Key: name, Value: "a"}, connect.Entry{Key: "b\n\"", Value: nil}))
		}
		sv, err := decode(t, c, string(mustEncode(t, c, nil, want)))
		if err != nil || !connect.EqualValues(sv.Value, want) {
			t.Fatalf("%v, %v, expected %v", sv.Value, err, want)
		}
	}
	d := c.decoders.Get().(*decoder)
	if n := len(d.names.list); n > maxNames {
		t.Errorf("%d names", n)
	}
}
