// Package fencing ends the producers of earlier generations of a connector's tasks before a new one begins, so that a task
// that somebody takes for dead can't deliver anything any more.
package fencing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The waits between attempts at a producer whose last transaction is just being ended.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
)

// transactionTimeout is what a fenced id is left with. The next producer with the id brings its own.
const transactionTimeout = time.Minute

// Producers fences the producers with the transactional ids: the broker aborts what they have open, and refuses all that they
// send later. It returns when that is so for all ids. The client needs no transactional id of its own.
func Producers(ctx context.Context, client *kgo.Client, ids ...string) error {
	for _, id := range ids {
		if err := producer(ctx, client, id); err != nil {
			return fmt.Errorf("fence the producer %q: %w", id, err)
		}
	}
	return nil
}

func producer(ctx context.Context, client *kgo.Client, id string) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID = &id
		req.TransactionTimeoutMillis = int32(transactionTimeout / time.Millisecond)
		req.ProducerID, req.ProducerEpoch = -1, -1 // whoever has it
		resp, err := req.RequestWith(ctx, client)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, kerr.ConcurrentTransactions) && !kerr.IsRetriable(err) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}
