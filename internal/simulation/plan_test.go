//go:build synctests

package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// plan is all that a seed decides before the beginning.
type plan struct {
	seed      uint64
	records   int64         // of each partition of the source
	pace      time.Duration // the longest wait of a reader before a record
	readAhead int
	worker    connect.Config
	source    connect.Config
	sink      connect.Config
	size      int  // instances at first
	once      bool // the source delivers exactly once
	steps     []step
}

// step is one thing that happens.
type step struct {
	at   time.Duration
	name string
	do   func(*world)
}

const (
	maxPollInterval = 6 * time.Second // how long the group of the sink waits for a Put
	groupHeartbeat  = time.Second     // of its members
)

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 1))
	p := plan{seed: seed, size: 1 + r.IntN(4), readAhead: pick(r, 1, 10, 1000)}
	p.pace = pick(r, 100*time.Millisecond, 300*time.Millisecond, time.Second)
	lasts := time.Duration(2+r.IntN(6)) * time.Minute
	p.records = int64(lasts / p.pace)
	p.worker = connect.Config{
		"offset.storage.topic":                    offsetTopic,
		"offset.flush.interval.ms":                milliseconds(pick(r, 200*time.Millisecond, time.Second, 10*time.Second)),
		"scheduled.rebalance.max.delay.ms":        milliseconds(pick(r, 0, 0, 20*time.Second, 2*time.Minute)),
		"session.timeout.ms":                      milliseconds(pick(r, 6*time.Second, 10*time.Second)),
		"heartbeat.interval.ms":                   milliseconds(pick(r, time.Second, 3*time.Second)),
		"connector.client.config.override.policy": "All",
	}
	p.source = connect.Config{"connector.class": "sim.Source", "tasks.max": strconv.Itoa(1 + r.IntN(4))}
	p.sink = connect.Config{
		"connector.class": "sim.Sink", "topics": outTopic, "tasks.max": strconv.Itoa(1 + r.IntN(3)),
		// The Kafka in memory drops who waits in a join for longer than a session, without a word, and lets a round take longer
		// whenever somebody joins or leaves: sessions are longer than some rounds.
		"consumer.override.session.timeout.ms":    milliseconds(pick(r, 20*time.Second, 30*time.Second)),
		"consumer.override.max.poll.interval.ms":  milliseconds(maxPollInterval),
		"consumer.override.heartbeat.interval.ms": milliseconds(groupHeartbeat),
		"consumer.override.max.poll.records":      strconv.Itoa(pick(r, 1, 10, 500)),
		"consumer.override.auto.offset.reset":     "earliest",
		"errors.retry.timeout":                    pick(r, "0", "10000"),
	}
	if r.IntN(2) == 0 {
		p.sink["consumer.override.partition.assignment.strategy"] = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"
	}
	p.chooseExactlyOnce()
	for at := 10 * time.Second; at < lasts; at += time.Duration(r.Int64N(int64(30 * time.Second))) {
		p.steps = append(p.steps, newStep(r, at))
	}
	return p
}

// chooseExactlyOnce has a third of the seeds deliver exactly once.
func (p *plan) chooseExactlyOnce() {
	r := rand.New(rand.NewPCG(p.seed, 3))
	if p.once = r.IntN(3) == 0; !p.once {
		return
	}
	p.worker["exactly.once.source.support"] = "enabled"
	p.source["transaction.boundary"] = pick(r, "poll", "interval")
	p.source["transaction.boundary.interval.ms"] = milliseconds(pick(r, 200*time.Millisecond, time.Second, 5*time.Second))
	p.sink["consumer.override.isolation.level"] = "read_committed"
}

func newStep(r *rand.Rand, at time.Duration) step {
	n := r.IntN(100) // which instance, of those that live
	lasts := time.Duration(r.Int64N(int64(pick(r, 2*time.Second, 15*time.Second, time.Minute))))
	one := func(name string, do func(*world, *instance)) step {
		return step{at, fmt.Sprintf("%s (%v)", name, lasts), func(w *world) {
			if live := w.live(); len(live) > 0 {
				i := live[n%len(live)]
				w.note("%s: %s", name, i.name)
				do(w, i)
			}
		}}
	}
	ask := func(name string, do func(context.Context, *instance) error) step {
		return one(name, func(w *world, i *instance) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			go func() {
				defer cancel()
				if err := do(ctx, i); err != nil {
					w.note("  %s on %s: %v", name, i.name, err)
				}
			}()
		})
	}
	broken := func(name string, faults ...kfake.Fault) step {
		return step{at, fmt.Sprintf("%s (%v)", name, lasts), func(w *world) {
			h := w.k.Fault(faults...)
			lasts := min(lasts, 20*time.Second)
			time.AfterFunc(lasts, h.Remove)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.refusing = time.Now().Add(lasts)
		}}
	}
	connector := pick(r, "source", "sink")
	tasks := strconv.Itoa(1 + r.IntN(4))
	switch r.IntN(20) {
	case 0, 1, 2:
		return one("kill", func(w *world, i *instance) {
			w.kill(i)
			time.AfterFunc(lasts, func() { w.note("start another"); w.start() })
		})
	case 3, 4:
		return one("stop", func(w *world, i *instance) {
			i.gone = true
			i.cancel()
			time.AfterFunc(lasts, func() { w.note("start another"); w.start() })
		})
	case 5, 6, 7:
		return one("cut off", func(w *world, i *instance) {
			w.fault(i, lasts)
			i.link.Cut()
			time.AfterFunc(lasts, func() { w.heal(i) })
		})
	case 8, 9, 10:
		return one("freeze", func(w *world, i *instance) {
			w.fault(i, lasts)
			i.link.Freeze()
			time.AfterFunc(lasts, i.link.Thaw)
		})
	case 11:
		return one("drop connections", func(w *world, i *instance) {
			w.fault(i, 0)
			i.link.Drop()
		})
	case 12:
		return step{at, "move leaders", func(w *world) { w.k.ShufflePartitionLeaders() }}
	case 13:
		return step{at, "move coordinators", func(w *world) { w.k.RehashCoordinators() }}
	case 14:
		return ask("restart "+connector, func(ctx context.Context, i *instance) error {
			return i.restart(ctx, connector)
		})
	case 15:
		return ask("tasks.max of "+connector+" is "+tasks, func(ctx context.Context, i *instance) error {
			return i.PatchConnector(ctx, connector, map[string]*string{"tasks.max": &tasks})
		})
	case 16:
		return ask("pause "+connector, func(ctx context.Context, i *instance) error {
			if err := i.Pause(ctx, connector); err != nil {
				return err
			}
			sleep(min(lasts, 5*time.Second))
			return i.Resume(ctx, connector)
		})
	case 17:
		return broken("partitions refuse records", kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: pick(r, kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend), Count: 1 + r.IntN(20)})
	case 18:
		err, count := pick(r, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.RequestTimedOut), 1+r.IntN(10)
		return broken("commits are refused", kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: err, Count: count},
			kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: err, Count: count})
	default:
		return step{at, "deploy", func(w *world) {
			for _, old := range w.live() {
				w.start()
				old.gone = true
				old.cancel()
			}
		}}
	}
}
