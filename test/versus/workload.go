package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// workload is a connector with its input.
type workload struct {
	name     string
	scale    float64 // share of the records
	from, to string  // file or topic
	json     bool    // the records are JSON with their schema
	mirror   bool
	java     float64 // budget: so many times Java's records per CPU second
	limit    float64 // budget: this share of the bare loop's; 0 is none
	config   map[string]string
}

const (
	smt       = "org.apache.kafka.connect.transforms."
	byteArray = "org.apache.kafka.connect.converters.ByteArrayConverter"
)

var workloads = []workload{
	{name: "file-to-topic", scale: 1, from: "file", to: "topic", java: 3, limit: 0.5, config: map[string]string{
		"connector.class": "FileStreamSource", "file": "${in}", "topic": "${out}", "batch.size": "2000",
	}},
	{name: "topic-to-file", scale: 1, from: "topic", to: "file", java: 2.5, limit: 0.6, config: map[string]string{
		"connector.class": "FileStreamSink", "topics": "${in}", "file": "${out}", "consumer.override.max.poll.records": "2000",
	}},
	{name: "json-smt-to-file", scale: 0.5, from: "topic", json: true, to: "file", java: 4, config: map[string]string{
		"connector.class": "FileStreamSink", "topics": "${in}", "file": "${out}", "consumer.override.max.poll.records": "2000",
		"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "true",
		"transforms": "ren,ts,ins,mask", "predicates": "orders",
		"transforms.ren.type": smt + "ReplaceField$Value", "transforms.ren.renames": "customer:client",
		"transforms.ts.type": smt + "TimestampConverter$Value", "transforms.ts.field": "created",
		"transforms.ts.target.type": "string", "transforms.ts.format": "yyyy-MM-dd HH:mm:ss.SSS",
		"transforms.ins.type": smt + "InsertField$Value", "transforms.ins.topic.field": "topic", "transforms.ins.timestamp.field": "ingested",
		"transforms.mask.type": smt + "MaskField$Value", "transforms.mask.fields": "card", "transforms.mask.predicate": "orders",
		"predicates.orders.type": smt + "predicates.TopicNameMatches", "predicates.orders.pattern": "versus-.*",
	}},
	{name: "topic-to-topic", scale: 1, from: "topic", to: "topic", mirror: true, java: 7, limit: 0.6, config: map[string]string{
		"connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector", "tasks.max": "2",
		"source.cluster.alias": "${name}", "target.cluster.alias": "target",
		"source.cluster.bootstrap.servers": "${bootstrap}", "target.cluster.bootstrap.servers": "${bootstrap}",
		"topics": "${in}", "replication.factor": "1", "offset-syncs.topic.replication.factor": "1",
		"refresh.topics.enabled": "false", "sync.topic.configs.enabled": "false", "sync.topic.acls.enabled": "false",
		"key.converter": byteArray, "value.converter": byteArray,
	}},
}

// line returns record n of 100 bytes.
func line(n int) []byte {
	b := fmt.Appendf(nil, "%012d ", n)
	for len(b) < 100 {
		b = append(b, "abcdefghijklmnopqrstuvwxyz"[(n+len(b))%26])
	}
	return b
}

// order returns record n as JSON with its schema.
func order(n int) []byte {
	return fmt.Appendf(nil, `{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},`+
		`{"type":"string","optional":false,"field":"customer"},{"type":"string","optional":true,"field":"card"},`+
		`{"type":"double","optional":false,"field":"amount"},`+
		`{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created"},`+
		`{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"tags"}],"optional":false,"name":"order"},`+
		`"payload":{"id":%d,"customer":"customer-%d","card":"4111-%012d","amount":%d.25,"created":%d,"tags":["a","b","c%d"]}}`,
		n, n%1000, n, n%500, 1700000000000+n, n%7)
}

// prepare makes the input of a workload and returns its file or topic.
func (v *versus) prepare(ctx context.Context, w workload, n int) (string, error) {
	name := fmt.Sprintf("versus-in-%s-%d", w.name, rand.IntN(1e6))
	if w.from == "file" {
		path := filepath.Join(v.dir, name)
		f, err := os.Create(path)
		if err != nil {
			return "", err
		}
		buffer := bufio.NewWriterSize(f, 1<<20)
		for i := range n {
			buffer.Write(append(line(i), '\n')) // the error comes with Flush
		}
		return path, errors.Join(buffer.Flush(), f.Close())
	}
	if _, err := v.admin.CreateTopic(ctx, 6, 1, nil, name); err != nil {
		return "", err
	}
	value := line
	if w.json {
		value = order
	}
	failed := make(chan error, 1)
	for i := range n {
		v.client.Produce(ctx, &kgo.Record{Topic: name, Value: value(i)}, firstError(failed))
	}
	return name, flushed(ctx, v.client, failed)
}

// firstError returns what keeps the first error of many records.
func firstError(failed chan<- error) func(*kgo.Record, error) {
	return func(_ *kgo.Record, err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	}
}

func flushed(ctx context.Context, cl *kgo.Client, failed <-chan error) error {
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// endOffset returns how many records a topic has; none if it is not there yet.
func (v *versus) endOffset(ctx context.Context, topic string) (n int, err error) {
	ends, err := v.admin.ListEndOffsets(ctx, topic)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			n += int(max(o.Offset, 0))
		}
	})
	return n, err
}

// lineCounter counts the lines of a growing file. Each call reads what is new only.
func lineCounter(path string) func() (int, error) {
	var at int64
	lines, buf := 0, make([]byte, 1<<20)
	return func() (int, error) {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
		defer f.Close()
		for {
			n, err := f.ReadAt(buf, at)
			lines, at = lines+bytes.Count(buf[:n], []byte{'\n'}), at+int64(n)
			if errors.Is(err, io.EOF) {
				return lines, nil
			} else if err != nil {
				return 0, err
			}
		}
	}
}
