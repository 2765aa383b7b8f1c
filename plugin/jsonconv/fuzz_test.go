package jsonconv

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/gokconnect/connect"
)

var seeds = []string{
	`{"schema":{"type":"struct","name":"S","fields":[{"field":"a","type":"int32"},{"type":"string","optional":true,"field":"b"},{"field":"c","type":"int8","default":5}]},"payload":{"a":1,"b":"x"}}`,
	`{"payload":[[1,"a"]],"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}}`,
	`{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},"payload":"AJw="}`,
	`{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date"},"payload":-644}`,
	`{"schema":{"type":"array","items":{"type":"float"}},"payload":[1.5e300,-0.0,1e-400,007]}`,
	`{"schema":null,"payload":{"a":[1,2.5,true,null,"\ud83d\ude00é"],"b":{"c":12345678901234567890}}}`,
	`{"a":1,"a":2}`, `"\uD83D"`, "\"\xc0\x80\"", "\xef\xbb\xbf1 ", "\x00[\x00]", "1\x00", "-", "1e", `{"a":1} x`, "truex", "nullé", "[[[[", "  ",
	`{"schema":{"type":"struct","fields":[]},"payload":{"x":[{"y":"\n"}]}}`,
}

// vectors returns the documents that were given to Connect.
func vectors(f *testing.F) (docs []string) {
	file, err := os.Open("../../internal/conformance/testdata/data/json/to.jsonl.gz")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		f.Fatal(err)
	}
	for d := json.NewDecoder(text); ; {
		var c struct {
			In struct {
				Bytes     []byte `json:"bytes"`
				BytesText string `json:"bytesText"`
			} `json:"in"`
		}
		if err := d.Decode(&c); errors.Is(err, io.EOF) {
			return docs
		} else if err != nil {
			f.Fatal(err)
		}
		docs = append(docs, string(c.In.Bytes)+c.In.BytesText)
	}
}

// The decoder that reads ahead gives the values that the nodes give, whatever the document.
func FuzzDecode(f *testing.F) {
	for _, s := range append(vectors(f), seeds...) {
		for _, mode := range []uint8{0, 1, 2, 4} {
			f.Add([]byte(s), mode)
		}
	}
	fixed := orderSchema(6)
	f.Fuzz(func(t *testing.T, doc []byte, mode uint8) {
		opts := Options{NoSchemas: mode&1 != 0, KeepNull: mode&4 != 0}
		if mode&2 != 0 {
			opts.Schema = fixed
		}
		c := New(opts)
		want, err := c.toConnect(doc)
		for range 2 {
			got, err2 := c.ToConnect(t.Context(), "t", nil, doc)
			if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Fatalf("error is %v, expected %v", err2, err)
			}
			if got.Schema != want.Schema || !connect.EqualValues(got.Value, want.Value) {
				t.Fatalf("got %v, %#v, expected %v, %#v", got.Schema, got.Value, want.Schema, want.Value)
			}
		}
		if err != nil {
			return
		}
		// What was decoded can be encoded, unless JSON has it otherwise than the schema asks, and is JSON again.
		b, err := c.FromConnect(t.Context(), "t", nil, want.Schema, want.Value)
		if err == nil && b != nil && !json.Valid(b) {
			t.Fatalf("encoded as %q", b)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, seed%2 == 0)
	}
	f.Fuzz(roundTrip)
}

func roundTrip(t *testing.T, seed uint64, numbers bool) {
	g := newGenerator(seed)
	s := g.schema(0)
	v := g.value(s)
	c := New(Options{DecimalNumbers: numbers})
	b, err := c.FromConnect(t.Context(), "t", nil, s, v)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if !json.Valid(b) {
		t.Fatalf("seed %d: not JSON: %s", seed, b)
	}
	for range 2 {
		got, err := c.ToConnect(t.Context(), "t", nil, b)
		if err != nil {
			t.Fatalf("seed %d: %v in %s", seed, err, b)
		}
		if !got.Schema.Equal(s) {
			t.Fatalf("seed %d: another schema from %s", seed, b)
		}
		if !connect.EqualValues(got.Value, v) {
			t.Fatalf("seed %d: %v became %v in %s", seed, v, got.Value, b)
		}
		if err := got.Schema.Validate(got.Value); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for seed := range uint64(3000) {
		roundTrip(t, seed, seed%2 == 0)
	}
}
