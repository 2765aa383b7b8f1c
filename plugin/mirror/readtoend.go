package mirror

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fromStart makes a consumer read the only partition of one of MirrorMaker's topics from its start.
func fromStart(topic string) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // what is read twice does no harm
		kgo.KeepControlRecords(), // the end of a transaction is the end of a log
	}
}

// endPatience is how long reading waits for records before it looks whether the cluster answers at all. If it does three
// times, and has no more, there is no more: after compaction the last offset may have no record.
const endPatience = 5 * time.Second

// readToEnd reads what a consumer made with [fromStart] has, up to the end that the topic has now. A topic that does not
// exist yet is awaited: others may be about to create it.
func readToEnd(ctx context.Context, cl *kgo.Client, topic string, each func(*kgo.Record)) error {
	end, err := endOf(ctx, cl, topic)
	if err != nil {
		return err
	}
	next, quiet := int64(0), 0
	for next < end && quiet < 3 {
		bounded, cancel := context.WithTimeout(ctx, endPatience)
		fetches := cl.PollFetches(bounded)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		nothing := fetches.NumRecords() == 0
		for _, e := range fetches.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) {
				return e.Err
			}
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				each(r)
			}
		})
		if quiet++; !nothing {
			quiet = 0
		} else if _, err := endOf(ctx, cl, topic); err != nil {
			return err
		}
	}
	return nil
}

// endOf returns the offset behind the last record of partition 0.
func endOf(ctx context.Context, cl *kgo.Client, topic string) (int64, error) {
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	end, ok := ends.Lookup(topic, 0)
	if !ok {
		return 0, errors.New("topic " + topic + " has no partition 0")
	}
	return end.Offset, end.Err
}
