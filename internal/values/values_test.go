package values

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

func TestParseNesting(t *testing.T) {
	for _, c := range []struct {
		name, text string
		schema     connect.Type
		fails      bool
	}{
		{name: "closed", text: strings.Repeat("[", 1000) + strings.Repeat("]", 1000), schema: connect.TypeArray},
		{name: "not closed", text: strings.Repeat("[", 1000), schema: connect.TypeString},
		{name: "keys", text: strings.Repeat("{", 1000), schema: connect.TypeString},
		{name: "too deep", text: strings.Repeat("[", 200_000), fails: true},
		{name: "too deep in keys", text: strings.Repeat("{", 200_000), fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sv, err := Parse(c.text)
			var data *connect.DataError
			switch {
			case c.fails && !errors.As(err, &data):
				t.Errorf("error is %v", err)
			case !c.fails && err != nil:
				t.Error(err)
			case !c.fails && sv.Schema.Type() != c.schema:
				t.Errorf("schema is %v", sv.Schema)
			}
		})
	}
}

// TestHeaderOfUnreadableText checks that a header that can't be read gives its bytes, in a copy.
func TestHeaderOfUnreadableText(t *testing.T) {
	text := []byte(strings.Repeat("[", 200_000))
	sv, err := utc.HeaderConverter().ToConnectHeader(t.Context(), "t", "h", text)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := sv.Value.([]byte)
	if !ok || sv.Schema != connect.BytesSchema || !bytes.Equal(got, text) {
		t.Errorf("%v of %d bytes", sv.Schema, len(got))
	}
	if &got[0] == &text[0] {
		t.Error("the value shares memory with the record")
	}
}

func TestDeepValues(t *testing.T) {
	var v any = "x"
	for range 2 * maxDepth {
		v = []any{v}
	}
	var data *connect.DataError
	if _, err := Append(nil, v); !errors.As(err, &data) {
		t.Errorf("Append: %v", err)
	}
	if _, err := InferSchema(v); !errors.As(err, &data) {
		t.Errorf("InferSchema: %v", err)
	}
}

func TestUnknownType(t *testing.T) {
	var data *connect.DataError
	if _, err := Append(nil, []any{struct{}{}}); !errors.As(err, &data) || !strings.HasPrefix(data.Message, "Failed to serialize unexpected value type ") {
		t.Errorf("Append: %v", err)
	}
	if _, err := Convert(connect.Int8Schema, nil, struct{}{}); !errors.As(err, &data) {
		t.Errorf("Convert: %v", err)
	}
}

func TestGoMaps(t *testing.T) {
	b, err := Append(nil, map[string]any{"b": nil, "a": int8(1)})
	if err != nil || string(b) != `{"a":1,"b":null}` {
		t.Errorf("%s, %v", b, err)
	}
	for _, null := range []any{[]byte(nil), (*connect.Struct)(nil), (*connect.Map)(nil), map[string]any(nil)} {
		if v, err := Convert(connect.StringSchema, nil, null); v != nil || err != nil {
			t.Errorf("Convert(%T(nil)) = %v, %v", null, v, err)
		}
	}
}

// TestWrap checks Java's casts where they lose digits.
func TestWrap(t *testing.T) {
	huge, ok := new(big.Int).SetString("-123456789012345678901234567890", 10)
	if !ok {
		t.Fatal("no number")
	}
	for _, c := range []struct {
		v    any
		want int64
	}{
		{float64(1e300), math.MaxInt64},
		{math.Inf(-1), math.MinInt64},
		{math.NaN(), 0},
		{connect.Decimal{Unscaled: huge}, 4362896299872285998},
		{connect.NewDecimal(5, -2_000_000_000), 0},
		{connect.NewDecimal(-19, 1), -1},
		{connect.NewDecimal(5, math.MaxInt32), 0},
		{"1e19", -8446744073709551616},
	} {
		got, err := Convert(connect.Int64Schema, nil, c.v)
		if err != nil || got != c.want {
			t.Errorf("%v became %v, %v, want %d", c.v, got, err, c.want)
		}
	}
}

// seeds returns the texts of the recorded cases.
func seeds(f *testing.F) []string {
	f.Helper()
	file, err := os.Open(filepath.Join("..", "conformance", "testdata", "data", "values", "parse.jsonl.gz"))
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		f.Fatal(err)
	}
	var texts []string
	for lines := bufio.NewScanner(z); lines.Scan(); {
		var c struct {
			In struct{ Text struct{ V string } }
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			f.Fatal(err)
		}
		texts = append(texts, c.In.Text.V)
	}
	if len(texts) == 0 {
		f.Fatal("no seeds")
	}
	return texts
}

func FuzzParse(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sv, err := Parse(text)
		if err != nil {
			var data *connect.DataError
			if !errors.As(err, &data) {
				t.Fatal(err)
			}
			return
		}
		switch {
		case sv.Schema == nil && trim(text) != "null":
			t.Errorf("%q is nothing", text)
		case sv.Schema == connect.StringSchema && sv.Value != text && !(strings.HasPrefix(text, sv.Value.(string)) && blank(sv.Value.(string))):
			// Of a text that begins as a list or map Java keeps only the white space before that.
			t.Errorf("%q is the text %q", text, sv.Value)
		}
		// Whatever was read can be printed.
		first, err := Append(nil, sv.Value)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(text) {
			return
		}
		for _, to := range []*connect.Schema{connect.BooleanSchema, connect.Int64Schema, connect.Float32Schema, connect.TimestampSchema, connect.DecimalSchema(0)} {
			if _, err := Convert(to, nil, text); err != nil && err.Error() == "" {
				t.Error("an error without a text")
			}
		}
		switch sv.Value.(type) {
		case bool, int8, int16, int32, int64:
			again, err := Parse(string(first))
			if err != nil || !connect.EqualValues(again.Value, sv.Value) {
				t.Errorf("%q is %v, printed as %q, which is %v, %v", text, sv.Value, first, again.Value, err)
			}
		}
	})
}

// FuzzRoundTrip checks what survives being printed and read.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(1), int64(1566570894346))
	f.Add(int64(math.MinInt64), int64(86400001))
	f.Fuzz(func(t *testing.T, n, millis int64) {
		millis = dayMillis + 1 + (millis&math.MaxInt64)%250_000_000_000_000
		if millis%dayMillis == 0 {
			millis++
		}
		at := time.UnixMilli(millis).UTC()
		for _, v := range []any{n, []any{n, n}, connect.MapOf(connect.Entry{Key: n, Value: n}), at, []any{at}} {
			text, err := Append(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			sv, err := Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Append(nil, sv.Value); err != nil || string(again) != string(text) {
				t.Errorf("%s became %s, %v", text, again, err)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"text", "orders-service/2.1"},
		{"integer", "1566570894346"},
		{"float", "12.75"},
		{"timestamp", "2019-08-23T14:34:54.346Z"},
		{"list", `[1,2,300]`},
		{"map", `{"id":1,"n":2}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(c.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name string
		v    any
	}{
		{"integer", int64(1566570894346)},
		{"timestamp", time.UnixMilli(1566570894346)},
		{"map", connect.MapOf(connect.Entry{Key: "id", Value: int64(1)}, connect.Entry{Key: "name", Value: "x"})},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 128)
			for b.Loop() {
				out, err := Append(buf[:0], c.v)
				if err != nil {
					b.Fatal(err)
				}
				buf = out
			}
		})
	}
}
