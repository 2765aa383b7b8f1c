package cluster

import (
	"context"
	"slices"

	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/rawproduce"
	"github.com/gokconnect/connect/internal/worker"
	"github.com/twmb/franz-go/pkg/kgo"
)

// forwarding returns how batches of records pass a task as they are, or nil if its configuration has something to do with
// each record, or with how they are written. Taps come and go, so they are asked for each time.
func (rt *Runtime) forwarding(o worker.TaskOptions, p *worker.SourceParts, steps []pipeline.Step, c pipeline.Converters, props map[string]string, client *kgo.Client) *worker.Forwarding {
	_, compression := props["compression.type"]
	codecs, _ := client.OptValue(kgo.ProducerBatchCompression).([]kgo.CompressionCodec)
	switch {
	case len(steps) > 0, p.Throttle != nil, p.Operator.Tolerates(), rt.cfg.TraceHeaders:
	case !pipeline.PassesBytes(c.Key), !pipeline.PassesBytes(c.Value), rt.cfg.javaDefaults:
	case compression, slices.ContainsFunc(codecs, func(codec kgo.CompressionCodec) bool { return codec != kgo.NoCompression() }):
	case client.OptValue(kgo.RequiredAcks) != any(kgo.AllISRAcks()):
	default:
		return &worker.Forwarding{
			Headers: pipeline.PassesBytes(c.Header),
			Now:     func() bool { return !o.Taps.Any() },
			New: func(ctx context.Context, done func(*rawproduce.Batch, error)) worker.BatchProducer {
				return rawproduce.New(ctx, rawproduce.Config{Client: client, Done: done, Logger: o.Logger})
			},
		}
	}
	return nil
}
