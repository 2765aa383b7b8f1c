package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/javamap"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/offsets"
)

func testOffsetsFileWrite(t *testing.T, c conformance.Case) {
	var script struct {
		In    []keyValue
		Bytes string
	}
	unmarshal(t, c.Raw, &script)
	var entries []javamap.Entry
	for _, p := range script.In {
		entries = append(entries, javamap.Entry(p.record()))
	}
	if got := base64.StdEncoding.EncodeToString(javamap.Encode(entries)); got != script.Bytes {
		t.Errorf("wrote %s, expected %s", got, script.Bytes)
	}
}

func testOffsetsFileRead(t *testing.T, c conformance.Case) {
	var in struct{ Bytes string }
	unmarshal(t, c.In, &in)
	content, err := base64.StdEncoding.DecodeString(in.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "offsets")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f := &offsets.File{Path: path}
	err = f.Start(t.Context())
	if c.Error != nil {
		if err == nil || strings.HasPrefix(c.Error.Class, "org.apache.kafka.") && !strings.HasSuffix(err.Error(), c.Error.Message) {
			t.Errorf("error %v, expected %s", err, c.Error.Message)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Data       []keyValue
		Partitions map[string][]json.RawMessage
	}
	unmarshal(t, c.Out, &out)
	table := offsetcodec.Table{KeepNulls: true}
	entries, _ := javamap.Decode(content) // Start has said that there is nothing but truncation in the way
	for _, e := range entries {
		_ = table.Apply(offsetcodec.Record(e), 0)
	}
	diffPairs(t, "data", out.Data, table.Records())
	for connector, want := range out.Partitions {
		diffSet(t, "partitions of "+connector, want, table.Partitions(connector))
		listed, err := f.List(t.Context(), connector)
		if err != nil || len(listed) > len(want) {
			t.Errorf("listed %v, error %v", listed, err)
		}
	}
}

func testOffsetsFileSequence(t *testing.T, c conformance.Case) {
	var script struct {
		Steps []struct {
			Set           keyValue
			FileThenHolds []keyValue
			GetK1         []keyValue
			Partitions    map[string][]json.RawMessage
		}
	}
	unmarshal(t, c.Raw, &script)
	path := filepath.Join(t.TempDir(), "offsets")
	f := &offsets.File{Path: path}
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, step := range script.Steps {
		connector, partition, err := offsetcodec.DecodeKey(textBytes(step.Set[0]))
		if err != nil {
			t.Fatal(err)
		}
		offset, err := offsetcodec.DecodeValue(textBytes(step.Set[1]))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Set(t.Context(), connector, []connect.PartitionOffset{{Partition: partition, Offset: offset}}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := javamap.Decode(content)
		if err != nil {
			t.Fatal(err)
		}
		var records []offsetcodec.Record
		for _, e := range entries {
			records = append(records, offsetcodec.Record(e))
		}
		diffPairs(t, fmt.Sprintf("step %d: file", i), step.FileThenHolds, records)
		for _, p := range step.GetK1 {
			connector, partition, err := offsetcodec.DecodeKey(textBytes(p[0]))
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Get(t.Context(), connector, []connect.Fields{partition})
			if err != nil {
				t.Fatal(err)
			}
			value, err := offsetcodec.Value(got[0])
			if err != nil {
				t.Fatal(err)
			}
			diffPairs(t, fmt.Sprintf("step %d: get", i), []keyValue{p}, []offsetcodec.Record{{Key: textBytes(p[0]), Value: value}})
		}
		for connector, want := range step.Partitions {
			listed, err := f.List(t.Context(), connector)
			if err != nil {
				t.Fatal(err)
			}
			var got []connect.Fields
			for _, e := range listed {
				got = append(got, e.Partition)
			}
			diffSet(t, fmt.Sprintf("step %d: partitions of %s", i, connector), want, got)
		}
	}
}

func testOffsetsSinkParse(t *testing.T, c conformance.Case) {
	var in struct{ Partition, Offset json.RawMessage }
	unmarshal(t, c.In, &in)
	got, err := offsetcodec.ParseSinkOffset(vec.Value(in.Partition, nil), vec.Value(in.Offset, nil))
	vec.CheckError(t, c.Error, err)
	if c.Error != nil {
		return
	}
	var out []struct {
		Topic     string
		Partition int32
		Offset    *string
	}
	unmarshal(t, c.Out, &out)
	if len(out) != 1 {
		t.Fatalf("one entry expected, %s", c.Out)
	}
	want := offsetcodec.SinkOffsetChange{Partition: connect.TopicPartition{Topic: out[0].Topic, Partition: out[0].Partition}}
	if out[0].Offset != nil {
		want.Set = true
		if want.Offset, err = strconv.ParseInt(*out[0].Offset, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if got != want {
		t.Errorf("parsed %+v, expected %+v", got, want)
	}
}

func testOffsetsSinkToJSON(t *testing.T, c conformance.Case) {
	var in [][3]any
	unmarshal(t, c.In, &in)
	type entry struct {
		Partition connect.Fields `json:"partition"`
		Offset    connect.Fields `json:"offset"`
	}
	entries := []entry{}
	for _, e := range in {
		offset, err := strconv.ParseInt(e[2].(string), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		p := offsetcodec.SinkPartitionOffset(connect.TopicPartition{Topic: e[0].(string), Partition: int32(e[1].(float64))}, offset)
		entries = append(entries, entry{p.Partition, p.Offset})
	}
	var want, got any
	unmarshal(t, c.Out, &want)
	unmarshal(t, json.RawMessage(show(map[string]any{"offsets": entries})), &got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}

func testOffsetsSinkGroup(t *testing.T, c conformance.Case) {
	if got, want := clients.SinkGroupID(str(t, c.In)), str(t, c.Out); got != want {
		t.Errorf("group %q, expected %q", got, want)
	}
}
