package recordbatch

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
)

// batch returns one that says that it has 10 records.
func batch() []byte {
	b := append(New(0), make([]byte, 20)...)
	b.SetRecords(10, 1000, 1234)
	return sealed(b)
}

// sealed sets the length and the checksum of a batch right.
func sealed(b Batch) []byte {
	b.Seal()
	return b
}

func TestCheckBytes(t *testing.T) {
	if err := CheckBytes(batch(), 10); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"cut":            func(b []byte) []byte { return b[:len(b)-1] },
		"only a header":  func(b []byte) []byte { return b[:HeaderSize-1] },
		"more behind":    func(b []byte) []byte { return append(b, 0) },
		"an old magic":   func(b []byte) []byte { b[atMagic] = 1; return b },
		"corrupt":        func(b []byte) []byte { b[HeaderSize] ^= 1; return b },
		"control":        func(b []byte) []byte { b[atAttributes+1] |= Control; return sealed(b) },
		"a length below": func(b []byte) []byte { b[atLength] = 0xff; return b },
		"fewer records":  func(b []byte) []byte { binary.BigEndian.PutUint32(b[atRecords:], 9); return sealed(b) },
	} {
		err := CheckBytes(change(batch()), 10)
		if err == nil {
			t.Errorf("%s: passed", name)
		}
		if fatal := name != "corrupt"; connect.IsFatal(err) != fatal {
			t.Errorf("%s: fatal is %v", name, !fatal)
		}
	}
}

func TestCheck(t *testing.T) {
	var pointer *connect.RecordBatch
	for _, c := range []struct {
		name, says string // "" is nothing
		allowed    bool
		change     func(r *connect.SourceRecord)
	}{
		{"allowed", "", true, func(*connect.SourceRecord) {}},
		{"another value", "", false, func(r *connect.SourceRecord) { r.Value = []byte("x") }},
		{"no value", "", false, func(r *connect.SourceRecord) { r.Value = nil }},
		{"not allowed", "record 3 of Poll is a batch of records, and no BatchForwarder said that it may be one", false, func(*connect.SourceRecord) {}},
		{"a pointer", "not a pointer", true, func(r *connect.SourceRecord) { r.Value = &connect.RecordBatch{} }},
		{"a nil pointer", "not a pointer", false, func(r *connect.SourceRecord) { r.Value = pointer }},
		{"no topic", "it has no topic", true, func(r *connect.SourceRecord) { r.Topic = "" }},
		{"no partition", "it has no partition", true, func(r *connect.SourceRecord) { r.Partition = connect.Partition{} }},
		{"below the first partition", "it has no partition", true, func(r *connect.SourceRecord) { r.Partition = connect.ToPartition(-1) }},
		{"a key", "it has a key or headers", true, func(r *connect.SourceRecord) { r.Key = "k" }},
		{"headers", "it has a key or headers", true, func(r *connect.SourceRecord) { r.Headers = connect.Headers{{Key: "h"}} }},
		{"no records", "it has no records", true, func(r *connect.SourceRecord) { r.Value = connect.RecordBatch{Bytes: batch()} }},
		{"other records", "record 3 of Poll, a batch of records for topic t: the batch has 10 records, not 11", true, func(r *connect.SourceRecord) {
			r.Value = connect.RecordBatch{Bytes: batch(), Records: 11}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &connect.SourceRecord{Record: connect.Record{Topic: "t", Partition: connect.ToPartition(0), Value: connect.RecordBatch{Bytes: batch(), Records: 10}}}
			c.change(r)
			err := Check(3, r, c.allowed)
			switch {
			case c.says == "" && err != nil, c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v, want %q", err, c.says)
			case err != nil && !connect.IsFatal(err):
				t.Errorf("not fatal: %v", err)
			}
		})
	}
}
