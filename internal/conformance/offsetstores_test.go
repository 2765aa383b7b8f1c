package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/offsetcodec"
	"github.com/gokconnect/connect/offsets"
)

func testOffsetsKafkaStore(t *testing.T, c conformance.Case) {
	var script struct {
		Steps []struct {
			KeyText, ValueText *string
			Data               []keyValue
			Partitions         map[string][]json.RawMessage
		}
	}
	unmarshal(t, c.Raw, &script)
	var table offsetcodec.Table
	for i, step := range script.Steps {
		_ = table.Apply(keyValue{step.KeyText, step.ValueText}.record(), int64(i)) // garbage is held and reported
		diffPairs(t, fmt.Sprintf("step %d", i), step.Data, table.Records())
		for connector, want := range step.Partitions {
			diffSet(t, fmt.Sprintf("step %d: partitions of %q", i, connector), want, table.Partitions(connector))
		}
	}
}

// heldAcks is a producer whose acknowledgements the test gives.
type heldAcks struct {
	producer *kgo.Client
	mu       sync.Mutex
	sent     []*kgo.Record
	promises []func(*kgo.Record, error)
}

func (p *heldAcks) Produce(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, r)
	p.promises = append(p.promises, promise)
}

func testOffsetsKafkaSet(t *testing.T, c conformance.Case) {
	var script struct {
		In  struct{ Entries, Failing int }
		Ops []struct {
			Op                 string
			KeyText, ValueText *string
		}
		Steps []struct {
			Ack       int
			Fails     bool
			Callbacks []json.RawMessage
		}
		Data []keyValue
	}
	unmarshal(t, c.Raw, &script)
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		acks := &heldAcks{producer: kafka.Client()}
		store := offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: kafka.ClientOpts(), Producer: acks, ReplicationFactor: 1})
		if err := store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		var entries []connect.PartitionOffset
		for i := range script.In.Entries {
			e := connect.PartitionOffset{Partition: connect.Fields{"k": i}}
			if script.Ops[i].ValueText != nil {
				e.Offset = connect.Fields{"o": i}
			}
			entries = append(entries, e)
		}
		var results []error
		go func() { results = append(results, store.Set(t.Context(), "c1", entries)) }()
		synctest.Wait()
		var sent []keyValue
		for _, op := range script.Ops {
			sent = append(sent, keyValue{op.KeyText, op.ValueText})
		}
		var got []offsetcodec.Record
		for _, r := range acks.sent {
			got = append(got, offsetcodec.Record{Key: r.Key, Value: r.Value})
		}
		diffPairs(t, "sent", sent, got)
		for i, step := range script.Steps {
			before := len(results)
			r := acks.sent[step.Ack]
			if step.Fails {
				acks.promises[step.Ack](r, errors.New("no"))
			} else {
				acks.promises[step.Ack](r, acks.producer.ProduceSync(t.Context(), r).FirstErr())
			}
			synctest.Wait()
			called := results[before:]
			if len(called) != len(step.Callbacks) {
				t.Fatalf("ack %d: results %v, expected %s", i, called, step.Callbacks)
			}
			for j, err := range called {
				if ok := string(step.Callbacks[j]) == `"ok"`; ok != (err == nil) {
					t.Errorf("ack %d: error %v, expected %s", i, err, step.Callbacks[j])
				}
			}
		}
		var want []keyValue
		want = append(want, script.Data...)
		found, err := store.List(t.Context(), "c1")
		if err != nil {
			t.Fatal(err)
		}
		var held []offsetcodec.Record
		for _, e := range found {
			var table offsetcodec.Table
			records, err := table.Encode("c1", []connect.PartitionOffset{e})
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, records...)
		}
		diffPairs(t, "stored", want, held)
	})
}

func testOffsetsKafkaGet(t *testing.T, c conformance.Case) {
	var script struct {
		In  struct{ Keys []string }
		Out []keyValue
	}
	unmarshal(t, c.Raw, &script)
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		store := offsets.NewKafka(offsets.KafkaConfig{Topic: "offsets", Client: kafka.ClientOpts(), ReplicationFactor: 1})
		if err := store.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for _, p := range script.Out {
			if p[1] != nil {
				kafka.Produce(&kgo.Record{Topic: "offsets", Key: textBytes(p[0]), Value: textBytes(p[1])})
			}
		}
		// Reading to the end is what makes a record visible that was written a moment ago.
		for _, p := range script.Out {
			connector, partition, err := offsetcodec.DecodeKey(textBytes(p[0]))
			if err != nil {
				continue // not a key that could be asked for
			}
			found, err := store.Get(t.Context(), connector, []connect.Fields{partition})
			if err != nil {
				t.Fatal(err)
			}
			value, err := offsetcodec.Value(found[0])
			if err != nil {
				t.Fatal(err)
			}
			diffPairs(t, "found", []keyValue{p}, []offsetcodec.Record{{Key: textBytes(p[0]), Value: value}})
		}
	})
}

// tableStore is a store with what is given to it as bytes.
type tableStore struct {
	*offsets.Memory
	table offsetcodec.Table
	err   error
}

func (s *tableStore) Get(_ context.Context, connector string, partitions []connect.Fields) ([]connect.Fields, error) {
	found := make([]connect.Fields, len(partitions))
	for i, p := range partitions {
		var err error
		if found[i], err = s.table.Get(connector, p); err != nil {
			return nil, err
		}
	}
	return found, s.err
}

func (s *tableStore) List(_ context.Context, connector string) ([]connect.PartitionOffset, error) {
	return s.table.List(connector), s.err
}

func (s *tableStore) fill(records []keyValue) {
	for _, p := range records {
		_ = s.table.Apply(p.record(), 0) // garbage is held and reported
	}
}

func testOffsetsReader(t *testing.T, c conformance.Case) {
	var in struct {
		Stored     []keyValue
		Namespace  string
		Partition  json.RawMessage
		Closed     bool
		StoreFails string
	}
	unmarshal(t, c.In, &in)
	store := &tableStore{}
	store.fill(in.Stored)
	if in.StoreFails != "" {
		store.err = errors.New(in.StoreFails)
	}
	reader := offsets.NewReader(store, in.Namespace, nil)
	if in.Closed {
		reader.Close()
	}
	partition := vec.Value(in.Partition, nil)
	got, err := reader.Offset(t.Context(), fieldsOf(partition))
	vec.CheckError(t, c.Error, err)
	if c.Error != nil {
		if cause := errors.Unwrap(err); c.Error.Cause == nil || cause == nil || !strings.HasSuffix(c.Error.Cause.Message, cause.Error()) {
			t.Errorf("cause %v, expected %+v", cause, c.Error.Cause)
		}
		return
	}
	var out struct{ Offset json.RawMessage }
	unmarshal(t, c.Out, &out)
	exact := exactOffset(&store.table, in.Namespace, partition)
	if err := diffFields(out.Offset, exact); err != nil {
		t.Errorf("by the key's bytes: %v", err)
	}
	// The reader finds a partition in whatever order its fields were written, where Java finds none.
	if exact != nil || canonicalKeys(in.Stored, in.Namespace, fieldsOf(partition)) == 0 {
		if err := diffFields(out.Offset, got); err != nil {
			t.Error(err)
		}
	}
}

// exactOffset is what Kafka Connect finds: by the bytes of the key.
func exactOffset(table *offsetcodec.Table, namespace string, partition any) connect.Fields {
	key, err := offsetcodec.Key(namespace, partition)
	if err != nil {
		return nil
	}
	value, _ := table.Raw(key)
	offset, err := offsetcodec.DecodeValue(value)
	if err != nil {
		return nil
	}
	return offset
}

// canonicalKeys counts the stored keys of a partition, in whatever order its fields are.
func canonicalKeys(stored []keyValue, namespace string, partition connect.Fields) int {
	want, err := offsetcodec.Canonical(partition)
	n := 0
	for _, p := range stored {
		connector, found, keyErr := offsetcodec.DecodeKey(textBytes(p[0]))
		if keyErr != nil || connector != namespace {
			continue
		}
		if name, nameErr := offsetcodec.Canonical(found); err == nil && nameErr == nil && name == want {
			n++
		}
	}
	return n
}

func testOffsetsReaderMany(t *testing.T, c conformance.Case) {
	var in struct {
		Stored     []keyValue
		Namespace  string
		Partitions []json.RawMessage
	}
	var out [][]json.RawMessage
	unmarshal(t, c.In, &in)
	unmarshal(t, c.Out, &out)
	store := &tableStore{}
	store.fill(in.Stored)
	var asked []connect.Fields
	for _, p := range in.Partitions {
		asked = append(asked, fieldsOf(vec.Value(p, nil)))
	}
	got, err := offsets.NewReader(store, in.Namespace, nil).Offsets(t.Context(), asked)
	if err != nil || len(got) != len(asked) {
		t.Fatalf("%d offsets, error %v", len(got), err)
	}
	// Java's answer is a map: partitions that are equal, or have the same key, share one entry of it, or have none.
	names := make([]string, len(asked))
	for i, p := range asked {
		if names[i], err = offsetcodec.Canonical(p); err != nil {
			names[i] = fmt.Sprint("invalid ", i)
		}
	}
	for i, want := range out {
		expected := json.RawMessage("null")
		if len(want) > 1 {
			expected = want[1]
		}
		if isNull(expected) {
			for j := range out {
				if names[j] == names[i] && len(out[j]) > 1 && !isNull(out[j][1]) {
					expected = out[j][1]
				}
			}
		}
		if isNull(expected) && exactOffset(&store.table, in.Namespace, asked[i]) != nil {
			continue // found by us in the order that Java's HashMap has, lost by Java to a sibling in another order
		}
		if err := diffFields(expected, got[i]); err != nil {
			t.Errorf("partition %d %v: %v", i, asked[i], err)
		}
	}
}

func testOffsetsConnectorRead(t *testing.T, c conformance.Case) {
	var script struct {
		In struct {
			Stores                      string
			WorkerTopic, ConnectorTopic []*string
			Keys                        []string
		}
		Out          []keyValue
		ReaderOffset []json.RawMessage
		Partitions   map[string][]json.RawMessage
	}
	unmarshal(t, c.Raw, &script)
	worker, own := &tableStore{}, &tableStore{}
	for kv := range slices.Chunk(script.In.WorkerTopic, 2) {
		worker.fill([]keyValue{{kv[0], kv[1]}})
	}
	for kv := range slices.Chunk(script.In.ConnectorTopic, 2) {
		own.fill([]keyValue{{kv[0], kv[1]}})
	}
	asJava := map[string]offsets.Store{"worker": worker, "connector": own, "both": &offsets.PerConnector{Own: own, Worker: worker, Mask: true}}[script.In.Stores]
	for i, key := range script.In.Keys {
		connector, partition, err := offsetcodec.DecodeKey([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		got, err := offsets.NewReader(asJava, connector, nil).Offset(t.Context(), partition)
		if err != nil {
			t.Fatal(err)
		}
		if err := diffFields(script.ReaderOffset[i], got); err != nil {
			t.Errorf("offset of %s: %v", key, err)
		}
		if script.In.Stores != "both" || !isNull(script.ReaderOffset[i]) {
			continue
		}
		// Not masked, the worker's offset shows where the connector has none.
		want, err := worker.table.Get(connector, partition)
		if err != nil {
			t.Fatal(err)
		}
		got, err = offsets.NewReader(&offsets.PerConnector{Own: own, Worker: worker}, connector, nil).Offset(t.Context(), partition)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("offset of %s is %v (%v) with fall-back, expected %v", key, got, err, want)
		}
	}
	for connector, want := range script.Partitions {
		var got []connect.Fields
		switch script.In.Stores {
		case "worker":
			got = worker.table.Partitions(connector)
		case "connector":
			got = own.table.Partitions(connector)
		default:
			seen := map[string]bool{}
			for _, p := range append(own.table.Partitions(connector), worker.table.Partitions(connector)...) {
				if name, err := offsetcodec.Canonical(p); err == nil && !seen[name] {
					seen[name] = true
					got = append(got, p)
				}
			}
		}
		diffSet(t, "partitions of "+connector, want, got)
	}
}

// writeLog is a store that notes what is written to it, and in all stores of a test.
type writeLog struct {
	name   string
	shared *sharedWrites
}

type sharedWrites struct {
	mu      sync.Mutex
	failing []bool // of the n-th write
	written []string
}

func (w *writeLog) Get(context.Context, string, []connect.Fields) ([]connect.Fields, error) {
	return nil, errors.New("not to be read")
}

func (w *writeLog) List(context.Context, string) ([]connect.PartitionOffset, error) {
	return nil, errors.New("not to be read")
}

func (w *writeLog) Set(_ context.Context, connector string, entries []connect.PartitionOffset) error {
	var table offsetcodec.Table
	records, err := table.Encode(connector, entries)
	if err != nil {
		return err
	}
	w.shared.mu.Lock()
	defer w.shared.mu.Unlock()
	for _, r := range records {
		fails := false
		if n := len(w.shared.written); n < len(w.shared.failing) {
			fails = w.shared.failing[n]
		}
		if fails {
			err = errors.New("no")
		}
		w.shared.written = append(w.shared.written, show([]any{w.name, bytesText(r.Key), bytesText(r.Value), fails}))
	}
	return err
}

func testOffsetsConnectorWrite(t *testing.T, c conformance.Case) {
	var script struct {
		In struct {
			Stores  string
			Entries []keyValue
		}
		Writes []struct {
			Store              string
			KeyText, ValueText *string
			Fails              bool
		}
		Callbacks []json.RawMessage
	}
	unmarshal(t, c.Raw, &script)
	shared := &sharedWrites{}
	var want []string
	for _, w := range script.Writes {
		shared.failing = append(shared.failing, w.Fails)
		want = append(want, show([]any{w.Store, w.KeyText, w.ValueText, w.Fails}))
	}
	worker, own := &writeLog{"worker", shared}, &writeLog{"connector", shared}
	both := &offsets.PerConnector{Own: own, Worker: worker}
	store := map[string]offsets.Store{"worker": worker, "connector": own, "both": both}[script.In.Stores]
	var entries []connect.PartitionOffset
	for _, e := range script.In.Entries {
		_, partition, err := offsetcodec.DecodeKey(textBytes(e[0]))
		if err != nil {
			t.Fatal(err)
		}
		offset, err := offsetcodec.DecodeValue(textBytes(e[1]))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, connect.PartitionOffset{Partition: partition, Offset: offset})
	}
	err := store.Set(t.Context(), "c", entries)
	if err := both.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shared.written, want) {
		t.Errorf("wrote %s, expected %s", shared.written, want)
	}
	if len(script.Callbacks) != 1 || (string(script.Callbacks[0]) == `"ok"`) != (err == nil) {
		t.Errorf("error %v, expected %s", err, script.Callbacks)
	}
}
