package worker

import (
	"context"
	"errors"
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tracing"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Each batch has a span, if somebody wants to know.

// errNotWritten is why the span of a batch is one of a failure.
var errNotWritten = errors.New("not all records were written")

// endSpan takes note that the batch was sent. Its span ends when all of it was acknowledged.
func (r *sourceRun) endSpan(records int, err error) {
	if r.span == nil {
		return
	}
	r.span.Records(records)
	r.span.Failed(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.span.Done()
	r.span = nil
}

// abandonSpans ends the spans of batches that nobody waits for any more.
func (r *sourceRun) abandonSpans() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := r.oldest; c != nil; c = c.next {
		c.span.Abandon("the task ended before all records were acknowledged")
	}
}

// headersOf returns the headers of a record and their size. A record of a batch whose span is to be found by its consumers
// says so, unless it says that of another one.
func headersOf(out *pipeline.Output, span *tracing.Batch) (headers []kgo.RecordHeader, size int) {
	parent := span.Parent()
	if parent != nil && slices.ContainsFunc(out.Headers, func(h connect.RawHeader) bool { return h.Key == tracing.Header }) {
		parent = nil
	}
	n := len(out.Headers)
	if parent != nil {
		n++
	}
	if n == 0 {
		return nil, 0
	}
	headers = make([]kgo.RecordHeader, 0, n)
	for _, h := range out.Headers {
		headers = append(headers, kgo.RecordHeader(h))
	}
	if parent != nil {
		headers = append(headers, kgo.RecordHeader{Key: tracing.Header, Value: parent})
	}
	for i := range headers {
		size += len(headers[i].Key) + len(headers[i].Value)
	}
	return headers, size
}

// endSpan takes note that the batch was sent.
func (r *exactlyOnceRun) endSpan(records int, err error) {
	r.span.Records(records)
	r.span.Failed(err)
	r.span.Done()
	r.span = nil
}

// beginSpan begins the span of what was consumed, unless that is nothing. It is linked with where the records come from: of
// each partition the first. The caller has the turn.
func (r *sinkRun) beginSpan(ctx context.Context, fetches kgo.Fetches) {
	if r.Tracing == nil {
		return
	}
	r.span.Abandon("the batch was given up")
	r.span = nil
	var origins tracing.Origins
	records := 0
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		records += len(p.Records)
		if len(p.Records) == 0 {
			return
		}
		for _, h := range p.Records[0].Headers {
			if h.Key == tracing.Header {
				origins.Header(h.Value)
			}
		}
	})
	if records > 0 {
		r.span = r.Tracing.Sink(ctx, &origins)
		r.span.Records(records)
	}
}

// endSpan takes note that the batch is done. The caller has the turn.
func (r *sinkRun) endSpan() {
	if len(r.batch) > 0 {
		r.spans.Batch(r.span)
	}
	r.span.Done()
	r.span = nil
}
