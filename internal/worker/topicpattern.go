package worker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicPattern makes a sink task consume the topics whose names match its pattern: now and then it asks for all topics.
// The client could do so itself, but not with Java's regular expressions. It has a goroutine only while it asks.
type topicPattern struct {
	run    *sinkRun
	ctx    context.Context
	cancel context.CancelFunc
	rounds sync.WaitGroup

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool

	matched map[string]struct{} // what is consumed; the current round's
}

// retryTopics is the wait after a round that failed.
const retryTopics = time.Second

// start begins the rounds, the first at once. It does nothing without a pattern.
func (w *topicPattern) start(ctx context.Context, r *sinkRun) {
	if r.Pattern == nil {
		return
	}
	w.run, w.matched = r, make(map[string]struct{})
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.rounds.Go(w.round)
}

// stop ends the rounds, and returns when none is under way.
func (w *topicPattern) stop() {
	w.mu.Lock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
	}
	w.rounds.Wait()
}

func (w *topicPattern) round() {
	next := w.run.MetadataMaxAge
	if matching, err := w.matching(); err != nil {
		next = min(next, retryTopics)
		if w.ctx.Err() == nil {
			w.run.Logger.Warn("the topics that match topics.regex are not known, it will be tried again", "err", err)
		}
	} else {
		w.consume(matching)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.timer = time.AfterFunc(next, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if !w.stopped {
				w.rounds.Go(w.round)
			}
		})
	}
}

// matching returns the topics whose names match.
func (w *topicPattern) matching() ([]string, error) {
	req := kmsg.NewPtrMetadataRequest() // without topics it asks for all
	resp, err := req.RequestWith(w.ctx, w.run.client)
	if err != nil {
		return nil, err
	}
	var topics []string
	for _, t := range resp.Topics {
		if t.Topic == nil || t.IsInternal {
			continue
		}
		ok, err := w.run.Pattern.MatchFull(*t.Topic)
		if err != nil {
			w.run.failWith(&connect.ConfigError{Key: "topics.regex", Message: err.Error()})
			return nil, err
		}
		if !ok {
			continue
		}
		if err := kerr.ErrorForCode(t.ErrorCode); kerr.IsRetriable(err) {
			return nil, fmt.Errorf("topic %s: %w", *t.Topic, err)
		} else if err == nil {
			topics = append(topics, *t.Topic)
		}
	}
	return topics, nil
}

// consume makes the client consume these topics and no others.
func (w *topicPattern) consume(topics []string) {
	var gone, anew []string
	for topic := range w.matched {
		if !slices.Contains(topics, topic) {
			gone = append(gone, topic)
			delete(w.matched, topic)
		}
	}
	for _, topic := range topics {
		if _, ok := w.matched[topic]; !ok {
			anew = append(anew, topic)
			w.matched[topic] = struct{}{}
		}
	}
	if len(gone) > 0 {
		w.run.forgetTopics(gone)
	}
	w.run.client.AddConsumeTopics(anew...)
}
