//go:build synctests

package simulation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
)

// source has sourceParts partitions, each of which counts to plan.records. A value says its partition, number and the life
// of its reader.
func (w *world) source(in *instance) connect.SourceConnector {
	return &connect.Partitioned[string, int64]{
		Topic: outTopic, Refresh: -1, ReadAhead: w.plan.readAhead,
		Partitions: func(context.Context) (names []string, err error) {
			if w.chance(20) {
				return nil, connect.Retriable(errors.New("the list of partitions can't be had"))
			}
			for n := range sourceParts {
				names = append(names, "p"+strconv.Itoa(n))
			}
			return names, nil
		},
		Read: func(ctx context.Context, p string, from *int64) iter.Seq2[connect.Emit[int64], error] {
			return func(yield func(connect.Emit[int64], error) bool) {
				l := w.beginReader(in, p)
				defer w.endReader(l, p)
				var n int64
				if from != nil {
					n = *from
				}
				for n < w.plan.records {
					if d := w.upTo(w.plan.pace); d > 0 {
						select {
						case <-time.After(d):
						case <-ctx.Done():
							return
						}
					}
					switch {
					case ctx.Err() != nil:
						return
					case w.chance(400):
						yield(connect.Emit[int64]{}, connect.Retriable(errors.New("the source is away")))
						return
					case w.chance(800):
						yield(connect.Emit[int64]{}, errors.New("the source broke"))
						return
					}
					n++
					r := connect.Record{Key: p, Value: fmt.Sprintf("%s:%d:%d", p, n, l.id)}
					if !yield(connect.Emit[int64]{Record: r, Offset: n}, nil) {
						return
					}
				}
				<-ctx.Done()
			}
		},
	}
}

func (w *world) beginReader(in *instance, p string) *life {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives++
	l := &life{id: w.lives, in: in}
	if other := w.readers[p]; other != nil && !in.killed {
		other.superseded, other.partition = time.Now(), p
		w.superseded[other] = struct{}{}
	}
	w.readers[p], w.births[l.id] = l, l
	return l
}

func (w *world) endReader(l *life, p string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.readers[p] == l {
		delete(w.readers, p)
	}
	w.checkSuperseded(l)
	delete(w.superseded, l)
}

// checkSuperseded: a reader ends soon after another has begun to read its partition (3).
func (w *world) checkSuperseded(l *life) {
	bound := 100 * time.Millisecond // readers take records that are there without looking at their context
	if time.Since(l.in.trouble) < 10*time.Second {
		// The instance finds out at the end of its session by its own clock, at which others take over. Then a reader may be
		// ahead of its task for as long as that tries to store its last offsets: the grace period.
		bound = 6 * time.Second
	}
	if late := time.Since(l.superseded); !l.superseded.IsZero() && !l.in.killed && !l.told && late > bound {
		l.told = true
		w.problemLocked("invariant 3: %s reads partition %s for more than %v after another began to", l.in.name, l.partition, late)
		w.trace = append(w.trace, stacks())
	}
}

// sink writes to delivered.
type sink struct {
	w  *world
	in *instance
}

func (s *sink) Start(context.Context, connect.ConnectorContext, connect.Config) error { return nil }
func (s *sink) Stop(context.Context) error                                            { return nil }
func (s *sink) NewTask() connect.SinkTask                                             { return &sinkTask{w: s.w, in: s.in} }
func (s *sink) TaskConfigs(_ context.Context, n int) ([]connect.Config, error) {
	all := make([]connect.Config, n)
	for i := range all {
		all[i] = connect.Config{}
	}
	return all, nil
}

type sinkTask struct {
	w  *world
	in *instance
	l  *life
}

func (s *sinkTask) Start(context.Context, connect.SinkTaskContext, connect.Config) error {
	s.w.mu.Lock()
	s.w.lives++
	s.l = &life{id: s.w.lives, in: s.in}
	s.w.mu.Unlock()
	if s.w.chance(15) {
		return errors.New("the target can't be opened")
	}
	return nil
}

func (s *sinkTask) OpenPartitions(_ context.Context, partitions []connect.TopicPartition) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, tp := range partitions {
		if other := s.w.holders[tp.Partition]; other != nil && !other.in.killed && !s.in.killed {
			s.w.overlap(tp.Partition, other, s.l)
		}
		s.w.holders[tp.Partition] = s.l
	}
	return nil
}

// overlap judges that a task begins with a partition that another has not closed (3).
func (w *world) overlap(partition int32, other, l *life) {
	switch {
	case !other.putting.IsZero() && time.Since(other.putting) >= maxPollInterval-groupHeartbeat, other.longPut.Equal(time.Now()), l.longPut.Equal(time.Now()):
		// Or the task that begins has waited behind a Put itself, and hears of the round before.
		w.overlaps.put++ // a Put may begin when the group has begun to wait, until the next heartbeat tells of it
	case time.Since(other.in.trouble) < maxPollInterval+groupHeartbeat:
		w.overlaps.fault++ // a round that began meanwhile ends without it, or what it commits waits
	case time.Since(w.refusing) < maxPollInterval:
		w.overlaps.commit++ // the client tries again for as long as that, and what it commits for waits
	default:
		w.problemLocked("invariant 3: sink task %d on %s begins with partition %d, which task %d on %s has not closed (its Put runs since %v, it was cut off or frozen until %v, of %v)", l.id, l.in.name, partition, other.id, other.in.name, other.putting.Sub(w.begin), other.in.trouble.Sub(w.begin), time.Since(w.begin))
		w.trace = append(w.trace, stacks())
	}
}

func (s *sinkTask) ClosePartitions(_ context.Context, partitions []connect.TopicPartition) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, tp := range partitions {
		if s.w.holders[tp.Partition] == s.l {
			delete(s.w.holders, tp.Partition)
		}
	}
	return nil
}

func (s *sinkTask) Stop(context.Context) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for p, l := range s.w.holders {
		if l == s.l {
			delete(s.w.holders, p)
		}
	}
	return nil
}

func (s *sinkTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	w := s.w
	w.setPutting(s.l, time.Now())
	defer w.setPutting(s.l, time.Time{})
	if w.chance(8) {
		wait := w.upTo(3 * time.Second)
		if w.chance(15) {
			wait = w.upTo(30 * time.Second)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	again, broken := w.chance(15), w.chance(60)
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.in.killed {
		return errors.New("the process is dead")
	}
	written := len(records)
	if again || broken { // after a part of them
		written = w.rng.IntN(len(records) + 1)
	}
	for i := range records[:written] {
		r := &records[i]
		p, o := r.Origin.Partition, r.Offset
		if w.delivered[p] == nil {
			w.delivered[p] = map[int64]string{}
		}
		w.delivered[p][o] = r.Value.(string)
	}
	switch {
	case again:
		return connect.Retriable(errors.New("the target is busy"))
	case broken:
		return errors.New("the target broke")
	}
	return nil
}

func (w *world) setPutting(l *life, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !l.putting.IsZero() && time.Since(l.putting) >= maxPollInterval-groupHeartbeat {
		l.longPut = time.Now()
	}
	l.putting = since
}
