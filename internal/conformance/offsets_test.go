package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/offsets"
)

func TestOffsets(t *testing.T) {
	features := map[string]func(t *testing.T, c conformance.Case){
		"encode": testOffsetsEncode, "validate": testOffsetsValidate, "flush": testOffsetsFlush,
		"kafka-store": testOffsetsKafkaStore, "kafka-set": testOffsetsKafkaSet, "kafka-get": testOffsetsKafkaGet,
		"reader": testOffsetsReader, "reader-many": testOffsetsReaderMany,
		"connector-store-read": testOffsetsConnectorRead, "connector-store-write": testOffsetsConnectorWrite,
		"file-write": testOffsetsFileWrite, "file-read": testOffsetsFileRead, "file-sequence": testOffsetsFileSequence,
		"sink-parse": testOffsetsSinkParse, "sink-to-json": testOffsetsSinkToJSON, "sink-group": testOffsetsSinkGroup,
	}
	vec.Run(t, "control/offsets.jsonl", func(t *testing.T, c conformance.Case) {
		run, ok := features[strings.Split(c.ID, ".")[2]]
		if !ok {
			t.Fatalf("no test of %s", c.ID)
		}
		run(t, c)
	})
}

// pair is a key or value with another, as text; null is no bytes.
type keyValue [2]*string

func (p keyValue) record() offsetcodec.Record {
	return offsetcodec.Record{Key: textBytes(p[0]), Value: textBytes(p[1])}
}

func textBytes(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

func bytesText(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

func show(v any) string { b, _ := json.Marshal(v); return string(b) }

func diffPairs(t *testing.T, what string, want []keyValue, got []offsetcodec.Record) {
	t.Helper()
	texts := make([]keyValue, 0, len(got))
	for _, r := range got {
		texts = append(texts, keyValue{bytesText(r.Key), bytesText(r.Value)})
	}
	if want == nil {
		want = []keyValue{}
	}
	a, b := sortedTexts(want), sortedTexts(texts)
	if !slices.Equal(a, b) {
		t.Errorf("%s: %s, expected %s", what, b, a)
	}
}

func sortedTexts(pairs []keyValue) []string {
	texts := make([]string, 0, len(pairs))
	for _, p := range pairs {
		texts = append(texts, show(p))
	}
	slices.Sort(texts)
	return texts
}

// diffSet compares maps with expected ones, in any order.
func diffSet(t *testing.T, what string, want []json.RawMessage, got []connect.Fields) {
	t.Helper()
	left := slices.Clone(got)
	for _, w := range want {
		at := slices.IndexFunc(left, func(f connect.Fields) bool { return diffFields(w, f) == nil })
		if at < 0 {
			t.Errorf("%s: %s is missing in %v", what, w, got)
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	if len(left) > 0 {
		t.Errorf("%s: unexpected %v", what, left)
	}
}

// diffFields compares a map with the expected one, or null, in any order.
func diffFields(want json.RawMessage, got connect.Fields) error {
	expected := fieldTree(vec.Value(want, nil))
	if actual := fieldTree(got); !reflect.DeepEqual(actual, expected) {
		return fmt.Errorf("%#v, expected %s", actual, want)
	}
	return nil
}

// fieldTree turns every kind of map into the same one; a nil one into nil.
func fieldTree(v any) any {
	switch v := v.(type) {
	case connect.Fields:
		if v == nil {
			return nil
		}
		m := map[string]any{}
		for name, e := range v {
			m[name] = fieldTree(e)
		}
		return m
	case *connect.Map:
		m := map[string]any{}
		for name, e := range v.All() {
			m[name.(string)] = fieldTree(e)
		}
		return m
	case []any:
		list := []any{}
		for _, e := range v {
			list = append(list, fieldTree(e))
		}
		return list
	}
	return v
}

// foreign is a value of a type that offsets can't hold.
type foreign struct{ _ string }

// offsetValue decodes a typed value. Java classes that Go lacks become foreign, and the expected error speaks of that.
func offsetValue(raw json.RawMessage, want *conformance.Error) any {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		panic(err)
	}
	return foreignValue(raw, want)
}

func foreignValue(raw json.RawMessage, want *conformance.Error) any {
	var node struct {
		T, Class string
		V        json.RawMessage
	}
	if json.Unmarshal(raw, &node) != nil {
		return vec.Value(raw, nil)
	}
	switch node.T {
	case "other":
		if want != nil {
			want.Message = strings.Replace(want.Message, "class "+node.Class, "class "+connect.JavaClass(foreign{}), 1)
		}
		return foreign{}
	case "map":
		var entries [][2]json.RawMessage
		if err := json.Unmarshal(node.V, &entries); err != nil {
			panic(err)
		}
		m := connect.NewMapValue(len(entries))
		for _, e := range entries {
			m.Set(foreignValue(e[0], want), foreignValue(e[1], want))
		}
		return m
	}
	return vec.Value(raw, nil)
}

// fieldsOf returns an ordered map as Fields.
func fieldsOf(v any) connect.Fields {
	m, ok := v.(*connect.Map)
	if !ok {
		return nil
	}
	f := connect.Fields{}
	for k, e := range m.All() {
		f[k.(string)] = e
	}
	return f
}

func testOffsetsEncode(t *testing.T, c conformance.Case) {
	var in struct {
		Namespace         *string
		Partition, Offset json.RawMessage
	}
	var out struct{ KeyText, ValueText *string }
	unmarshal(t, c.In, &in)
	if c.Error == nil {
		unmarshal(t, c.Out, &out)
	}
	var namespace any
	if in.Namespace != nil {
		namespace = *in.Namespace
	}
	partition, offset := offsetValue(in.Partition, c.Error), offsetValue(in.Offset, c.Error)
	key, err := offsetcodec.Key(namespace, partition)
	value, valueErr := offsetcodec.Value(offset)
	if err == nil {
		err = valueErr
	}
	vec.CheckError(t, c.Error, err)
	if c.Error != nil {
		return
	}
	if got, want := show([]*string{bytesText(key), bytesText(value)}), show([]*string{out.KeyText, out.ValueText}); got != want {
		t.Errorf("encoded %s, expected %s", got, want)
	}
}

func testOffsetsValidate(t *testing.T, c conformance.Case) {
	vec.CheckError(t, c.Error, offsetcodec.Validate(offsetValue(c.In, c.Error)))
}

// position is an offset of the flush scripts; a negative one is of a kind that can't be stored.
type position string

func (p position) Fields() connect.Fields {
	if p == "bad" {
		return connect.Fields{"o": []any{}}
	}
	n, _ := strconv.ParseInt(string(p), 10, 64)
	return connect.Fields{"o": n}
}

func testOffsetsFlush(t *testing.T, c conformance.Case) {
	var script struct {
		Steps []struct {
			Op     string
			Result struct {
				Out   any
				Error *conformance.Error
			}
			Written  *struct{ Set []keyValue }
			Callback []struct {
				OK    bool
				Error *conformance.Error
			}
		}
	}
	unmarshal(t, c.Raw, &script)
	w := offsets.NewWriter("c", true)
	var flush *offsets.Flush    // the one under way
	var writes []*offsets.Flush // of the store, by number
	ended := map[*offsets.Flush]bool{}
	for i, step := range script.Steps {
		var callbacks []error
		var result error
		var out any
		op := strings.Fields(step.Op)
		switch op[0] {
		case "offset":
			var o connect.SourceOffset
			if len(op) > 2 {
				o = position(op[2])
			}
			if err := w.Offset(connect.Fields{"p": op[1]}, o); err != nil {
				t.Fatal(err)
			}
		case "begin", "begin0":
			var next *offsets.Flush
			if op[0] == "begin" {
				next, result = w.TryBegin()
			} else {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				next, result = w.Begin(ctx)
			}
			if result == nil {
				out = next != nil
			}
			if next != nil {
				flush = next
			}
		case "do":
			out = "future"
			entries, err := flush.Entries()
			if err != nil {
				out, callbacks = "null", append(callbacks, err)
				break
			}
			writes = append(writes, flush)
			if step.Written == nil {
				t.Errorf("step %d: wrote %v, expected nothing", i, entries)
				break
			}
			var records []offsetcodec.Record
			for _, e := range entries {
				var table offsetcodec.Table
				encoded, err := table.Encode("c", []connect.PartitionOffset{e})
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, encoded...)
			}
			diffPairs(t, fmt.Sprintf("step %d", i), step.Written.Set, records)
		case "ok", "fail":
			n, err := strconv.Atoi(op[1])
			if err != nil || n >= len(writes) {
				t.Fatalf("step %d: %s", i, step.Op)
			}
			err = nil
			if op[0] == "fail" {
				err = errors.New("write failed")
			}
			writes[n].Done(err)
			if !ended[writes[n]] {
				ended[writes[n]], callbacks = true, append(callbacks, err)
			}
		case "cancel":
			if flush != nil {
				flush.Done(errors.New("cancelled"))
				ended[flush], flush = true, nil
			}
		default:
			t.Fatalf("step %d: %s", i, step.Op)
		}
		if err := vec.DiffError(step.Result.Error, result); err != nil {
			t.Errorf("step %d: %s: %v", i, step.Op, err)
		}
		if step.Result.Error == nil && out != step.Result.Out {
			t.Errorf("step %d: %s returned %v, expected %v", i, step.Op, out, step.Result.Out)
		}
		if len(callbacks) != len(step.Callback) {
			t.Errorf("step %d: %s called back %v, expected %v", i, step.Op, callbacks, step.Callback)
			continue
		}
		for j, want := range step.Callback {
			if err := vec.DiffError(want.Error, callbacks[j]); err != nil {
				t.Errorf("step %d: %s: %v", i, step.Op, err)
			}
		}
	}
}
