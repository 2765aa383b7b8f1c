//go:build unix

package cluster_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/connecttest"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/plugin/file"
)

// BenchmarkJSONChain measures what the runtime and the file sink spend on a record of JSON with its schema that goes
// through four transformations, one of them under a predicate, and is written as a line of text.
func BenchmarkJSONChain(b *testing.B) {
	reg := new(connect.Registry).MustAdd(cluster.Builtins()...).MustAdd(file.Plugins()...)
	cfg, err := connconfig.ParseSink(reg, connect.Config{
		"name": "bench", "connector.class": "FileStreamSink", "topics": "bench-in",
		"transforms":                     "ren,ts,ins,mask",
		"transforms.ren.type":            "org.apache.kafka.connect.transforms.ReplaceField$Value",
		"transforms.ren.renames":         "customer:client",
		"transforms.ts.type":             "org.apache.kafka.connect.transforms.TimestampConverter$Value",
		"transforms.ts.field":            "created",
		"transforms.ts.target.type":      "string",
		"transforms.ts.format":           "yyyy-MM-dd HH:mm:ss.SSS",
		"transforms.ins.type":            "org.apache.kafka.connect.transforms.InsertField$Value",
		"transforms.ins.topic.field":     "topic",
		"transforms.ins.timestamp.field": "ingested",
		"transforms.mask.type":           "org.apache.kafka.connect.transforms.MaskField$Value",
		"transforms.mask.fields":         "card",
		"transforms.mask.predicate":      "orders",
		"predicates":                     "orders",
		"predicates.orders.type":         "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
		"predicates.orders.pattern":      "bench-.*",
	})
	if err != nil {
		b.Fatal(err)
	}
	steps, err := pipeline.Steps(reg, &cfg.Common)
	if err != nil {
		b.Fatal(err)
	}
	converter := func(name string, role connect.Role) connect.Converter {
		p, ok := reg.Converter(name)
		if !ok {
			b.Fatal(name)
		}
		c, err := p.New(nil, role)
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	p := pipeline.NewSink(steps, pipeline.Converters{Key: converter("StringConverter", connect.KeyRole), Value: converter("JsonConverter", connect.ValueRole)}, tolerance.New(tolerance.Policy{}))
	task := (&file.Sink{Path: filepath.Join(b.TempDir(), "out.txt")}).NewTask()
	if err := task.Start(b.Context(), connecttest.NewSinkContext(b, connect.TaskID{}, nil), nil); err != nil {
		b.Fatal(err)
	}
	defer task.Stop(b.Context())
	const size = 2000                               // of a batch
	consumed := make([]tolerance.Consumed, 10*size) // what a client has fetched
	for i := range consumed {
		consumed[i] = tolerance.Consumed{
			Topic: "bench-in", Offset: int64(i), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)).UTC(),
			Value: fmt.Appendf(nil, `{"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":false,"field":"customer"},{"type":"string","optional":true,"field":"card"},{"type":"double","optional":false,"field":"amount"},{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"created"},{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"tags"}],"optional":false,"name":"order"},"payload":{"id":%d,"customer":"customer-%d","card":"4111-%012d","amount":%d.25,"created":%d,"tags":["a","b","c%d"]}}`, i, i%1000, i, i%500, 1700000000000+i, i%7),
		}
	}
	ctx := b.Context()
	b.ReportAllocs()
	b.SetBytes(int64(len(consumed[0].Value)))
	b.ResetTimer()
	before := cpuTime(b)
	for n := 0; n < b.N; n += size {
		batch := make([]connect.SinkRecord, 0, size)
		for i := range min(size, b.N-n) {
			if batch, err = p.Process(ctx, &consumed[(n+i)%len(consumed)], batch); err != nil {
				b.Fatal(err)
			}
		}
		if err := task.Put(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns what the process has used of all processors, the garbage collector included: what a busy machine does
// not change much.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
