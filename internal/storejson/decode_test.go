package storejson

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

func TestDecodeJSON(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want any // nil for an error
	}{
		{` [1 , -2,3.5 ,"a\u00e9\uD83D\uDE00\n",true,false,null,{}] x`, []any{int64(1), int64(-2), 3.5, "aé😀\n", true, false, nil, connect.Fields{}}},
		{`"\uD83D\u0041\uDE00"`, "\uFFFDA\uFFFD"}, {`"\uD83Dx"`, "\uFFFDx"}, {`-0`, int64(0)}, {`-0.0`, math.Copysign(0, -1)}, {`1E+2`, 100.0},
		{`01`, nil}, {`-`, nil}, {`1.`, nil}, {`.5`, nil}, {`1e`, nil}, {`+1`, nil}, {`1x`, nil}, {`nul`, nil}, {`nullx`, nil}, {`NaN`, nil}, {`'a'`, nil},
		{`"a`, nil}, {"\"a\tb\"", nil}, {`"\x"`, nil}, {`"\u12"`, nil}, {`"\u12zz"`, nil}, {`"\`, nil}, {`[1`, nil}, {`[1,]`, nil}, {`[,1]`, nil}, {`{"a"}`, nil},
		{`{"a":1,}`, nil}, {`{a:1}`, nil}, {`{"a":1`, nil}, {`]`, nil}, {strings.Repeat("[", maxDepth+2), nil}, {"\"\xff\"", nil},
	} {
		got, err := Decode([]byte(tt.in))
		if (err != nil) != (tt.want == nil) || err == nil && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%.40q is %#v, error %v, want %#v", tt.in, got, err, tt.want)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`["c",{"a":1,"b":-1.5e3,"s":"\u00e9\ud83d\ude00\n","l":[true,false,null,{}]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode(b)
		if !utf8.Valid(b) || !json.Valid(b) {
			return
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var std any
		if stdErr := d.Decode(&std); stdErr != nil || err != nil {
			if stdErr == nil && !strings.Contains(err.Error(), "deep") && !strings.Contains(err.Error(), "too long") {
				t.Fatalf("%s: error %v", b, err)
			}
			return
		}
		if want := fromStd(std); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s is %#v, encoding/json says %#v", b, got, want)
		}
	})
}

// fromStd turns what encoding/json reads into what Decode reads.
func fromStd(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
		p := parser{b: []byte(v)}
		n, _ := p.number()
		return n
	case []any:
		for i := range v {
			v[i] = fromStd(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = fromStd(v[k])
		}
		return connect.Fields(v)
	}
	return v
}
