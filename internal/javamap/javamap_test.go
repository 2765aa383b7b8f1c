package javamap

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

const oneEntry = "aced0005" + "7372" + "0011" + "6a6176612e7574696c2e486173684d6170" + "0507dac1c31660d1" + "03" + "0002" +
	"46" + "000a" + "6c6f6164466163746f72" + "49" + "0009" + "7468726573686f6c64" + "7870" + "3f400000" + "0000000c" +
	"7708" + "00000010" + "00000001" +
	"7572" + "0002" + "5b42" + "acf317f8060854e0" + "02" + "0000" + "7870" + "00000001" + "6b" +
	"7571" + "007e0002" + "00000002" + "7631" + "78"

func TestEncode(t *testing.T) {
	if got := hex.EncodeToString(Encode([]Entry{{[]byte("k"), []byte("v1")}})); got != oneEntry {
		t.Errorf("wrote\n%s, want\n%s", got, oneEntry)
	}
}

func TestRoundTrip(t *testing.T) {
	var many []Entry
	for i := range 1000 {
		many = append(many, Entry{fmt.Append(nil, "key", i), fmt.Append(nil, "value", i)})
	}
	for _, entries := range [][]Entry{nil, {{nil, nil}}, {{[]byte{}, []byte{}}}, {{nil, []byte("v")}, {[]byte("k"), nil}, {[]byte("l"), []byte("w")}}, many} {
		got, err := Decode(Encode(entries))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, entries) {
			t.Errorf("read %q, want %q", got, entries)
		}
	}
}

func TestEveryTruncationIsSeen(t *testing.T) {
	whole := Encode([]Entry{{[]byte("k"), []byte("v1")}, {[]byte("l"), nil}})
	for n := range len(whole) - 1 { // Java does not need the end mark either
		if _, err := Decode(whole[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the first %d bytes: error %v", n, err)
		}
	}
}

func TestForeignContent(t *testing.T) {
	for content, want := range map[string]string{
		"text":                             "not a stream of Java objects",
		"aced0005" + "70":                  "found null",
		"aced0005" + "740004" + "74657874": "found class java.lang.String",
		strings.Replace(oneEntry, "00000001"+"7572", "ffffffff"+"7572", 1): "-1 entries",
		strings.Replace(oneEntry, "007e0002", "007e0001", 1):               "does not lead to a class",
		strings.Replace(oneEntry, "007e0002", "007e00ff", 1):               "leads to object",
		strings.Replace(oneEntry, "5b42", "5b49", 1):                       "not of bytes",
	} {
		b, err := hex.DecodeString(content)
		if err != nil {
			b = []byte(content)
		}
		if _, err := Decode(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(nil))
	f.Add(Encode([]Entry{{[]byte("k"), []byte("v1")}, {nil, []byte{}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(Encode(entries))
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%d entries became %d, error %v", len(entries), len(again), err)
		}
		for i := range entries {
			if !bytes.Equal(entries[i].Key, again[i].Key) || (entries[i].Key == nil) != (again[i].Key == nil) {
				t.Fatalf("key %q became %q", entries[i].Key, again[i].Key)
			}
		}
	})
}
