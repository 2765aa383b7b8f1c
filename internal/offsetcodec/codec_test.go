package offsetcodec

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

func TestValueTypes(t *testing.T) {
	type named int16
	for _, tt := range []struct {
		v    any
		want string
	}{
		{nil, "null"}, {true, "true"}, {int8(-1), "-1"}, {7, "7"}, {uint64(math.MaxInt64), "9223372036854775807"}, {named(3), "3"}, {time.Second, "1000000000"},
		{float32(0.1), "0.1"}, {1e10, "1.0E10"}, {1e-7, "1.0E-7"}, {100.0, "100.0"}, {math.Copysign(0, -1), "-0.0"}, {math.NaN(), `"NaN"`}, {math.Inf(1), `"Infinity"`},
		{[]byte{}, `""`}, {[]byte{1, 2, 255}, `"AQL/"`}, {"\x00\x1f\x7f\b\t\n\f\r\"\\/<>&\u2028é源😀", `"\u0000\u001F` + "\x7f" + `\b\t\n\f\r\"\\/<>&` + "\u2028é源" + `\uD83D\uDE00"`},
		{json.Number("5"), "5"}, {json.Number("5.0"), "5.0"},
	} {
		got, err := Value(connect.Fields{"f": tt.v})
		if err != nil || string(got) != `{"f":`+tt.want+`}` {
			t.Errorf("%v is written %s, error %v, want %s", tt.v, got, err, tt.want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  connect.Fields
		err   string
	}{
		{"", nil, ""}, {"  ", nil, ""}, {"null", nil, ""}, {"{}", connect.Fields{}, ""}, {`{"a":1} garbage`, connect.Fields{"a": int64(1)}, ""},
		{`{"a":1,"a":2}`, connect.Fields{"a": int64(2)}, ""}, {`{"a":1e3}`, connect.Fields{"a": 1000.0}, ""}, {`{"a":1e999}`, connect.Fields{"a": math.Inf(1)}, ""},
		{`{"a":92233720368547758079}`, connect.Fields{"a": int64(-1)}, ""}, {`{"a":-9223372036854775809}`, connect.Fields{"a": int64(math.MaxInt64)}, ""},
		{"{", nil, "not JSON"}, {"5", nil, "Offsets must be specified as a Map"}, {`{"a":[]}`, nil, "field a contains ARRAY"}, {"{\"a\":\"\xff\"}", nil, "UTF-8"},
		{`{"a":` + strings.Repeat("9", 2000) + `}`, nil, "too long"}, {strings.Repeat("[", 1_000_000), nil, "not JSON"}, {strings.Repeat(`{"a":`, 100_000), nil, "not JSON"},
	} {
		got, err := DecodeValue([]byte(tt.value))
		if tt.err == "" && (err != nil || !reflect.DeepEqual(got, tt.want)) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%.40s is %v, error %v, want %v %s", tt.value, got, err, tt.want, tt.err)
		}
	}
}

func TestCanonical(t *testing.T) {
	same := []connect.Fields{{"b": float32(0.1), "a": int8(1), "c": []byte("x")}, {"a": 1, "c": "eA==", "b": 0.1}}
	first, err := Canonical(same[0])
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := Canonical(same[1]); second != first {
		t.Errorf("%s is not %s", second, first)
	}
	for _, other := range []connect.Fields{nil, {}, {"a": 1}, {"a": 1.0, "c": "eA==", "b": 0.1}, {"a": "1", "c": "eA==", "b": 0.1}} {
		if name, _ := Canonical(other); name == first {
			t.Errorf("%v is the same as %v", other, same[0])
		}
	}
}

func TestNewestKeyOfAPartitionDecides(t *testing.T) {
	var table Table
	apply := func(key, value string, at int64) {
		r := Record{Key: []byte(key)}
		if value != "" {
			r.Value = []byte(value)
		}
		if err := table.Apply(r, at); err != nil {
			t.Fatal(err)
		}
	}
	get := func() string {
		o, err := table.Get("c", connect.Fields{"a": 1, "b": 2})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(o)
	}
	for _, step := range []struct {
		key, value string
		at         int64
		want       string
	}{
		{`["c",{"a":1,"b":2}]`, `{"p":1}`, 10, "map[p:1]"},
		{`["c",{"b":2,"a":1}]`, `{"p":2}`, 5, "map[p:1]"},  // older, from another partition of the topic
		{`["c",{"b":2,"a":1}]`, `{"p":3}`, 11, "map[p:3]"}, // newer
		{`["c",{"a":1,"b":2}]`, "", 12, "map[]"},           // removed
		{`["c",{"b":2,"a":1}]`, "", 13, "map[]"},
		{`["c",{"b":2,"a":1}]`, `{"p":4}`, 1, "map[p:4]"}, // nothing is left to compare with
		{`["c",{"b":2,"a":1}]`, `{"p":5}`, 0, "map[p:5]"}, // the order of records of one key is that of the log
	} {
		apply(step.key, step.value, step.at)
		if got := get(); got != step.want {
			t.Errorf("after %s=%s at %d: %s, want %s", step.key, step.value, step.at, got, step.want)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("connector", "name", "text", int64(1), 1.5, []byte("b"))
	f.Add("", "😀\x00", "\"\\", int64(math.MinInt64), math.Inf(1), []byte{})
	f.Fuzz(func(t *testing.T, connector, name, text string, n int64, d float64, b []byte) {
		partition := connect.Fields{name: text, name + "n": n, name + "d": d, name + "b": b}
		key, err := Key(connector, partition)
		if err != nil {
			return
		}
		gotConnector, got, err := DecodeKey(key)
		if err != nil || gotConnector != connector {
			t.Fatalf("%s was read as connector %q, error %v", key, gotConnector, err)
		}
		want, _ := Canonical(partition)
		if back, err := Canonical(got); err != nil || back != want {
			t.Fatalf("%s became %s, error %v", want, back, err)
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add([]byte(`["c",{"a":1}]`), []byte(`{"p":1}`))
	f.Add([]byte(`["c",{"n":1.5,"l":[1,{"x":null}],"m":{}}]`), []byte(`null`))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		var table Table
		_ = table.Apply(Record{key, value}, 0) // must not panic
		connector, partition, err := DecodeKey(key)
		if err != nil || value == nil {
			return
		}
		if partition != nil && len(table.Partitions(connector)) != 1 {
			t.Fatalf("%s is not there", key)
		}
		for _, e := range table.List(connector) {
			records, err := table.Encode(connector, []connect.PartitionOffset{e})
			if err != nil || len(records) != 1 || string(records[0].Key) != string(key) {
				t.Fatalf("%v is written as %q, error %v", e, records, err)
			}
		}
	})
}

func BenchmarkKey(b *testing.B) {
	partition := connect.Fields{"cluster": "A", "topic": "orders", "partition": int32(3)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Key("connector", partition); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	r := Record{Key: []byte(`["connector",{"filename":"file-123"}]`), Value: []byte(`{"position":42}`)}
	var table Table
	b.ReportAllocs()
	for b.Loop() {
		if err := table.Apply(r, 0); err != nil {
			b.Fatal(err)
		}
	}
}
