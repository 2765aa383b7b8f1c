//go:build synctests

package simulation

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// emitted is one record of the topic.
type emitted struct {
	partition string
	n         int64
	life      int
	at        time.Time // of the broker
}

// check checks what there is when everything has come to rest.
func (w *world) check() {
	w.checkSource()
	w.checkSink()
}

// checkSource: nothing is lost (1), in order (4), no instance emits when another has taken over (3), and no offset was
// stored before what is before it had arrived (1).
func (w *world) checkSource() {
	arrived := map[string][]time.Time{} // when number n of a partition arrived first
	last := map[string]emitted{}
	for _, r := range w.records(outTopic) {
		e := emitted{at: r.Timestamp}
		parts := strings.Split(string(r.Value), ":")
		e.partition = parts[0]
		e.n, _ = strconv.ParseInt(parts[1], 10, 64)
		e.life, _ = strconv.Atoi(parts[2])
		before, ok := last[e.partition]
		last[e.partition] = e
		most := int64(len(arrived[e.partition]))
		switch {
		case e.n > most+1:
			w.problem("invariant 1: %s has number %d at offset %d when %d were there", e.partition, e.n, r.Offset, most)
		case e.n <= most && w.plan.once:
			w.problem("exactly once: %s has number %d again at offset %d, of reader %d (%s)", e.partition, e.n, r.Offset, e.life, w.births[e.life].in.name)
		case e.n == most+1:
			arrived[e.partition] = append(arrived[e.partition], e.at)
		}
		if ok && e.life == before.life && e.n != before.n+1 {
			w.problem("invariant 4: %s has number %d after %d of the same reader, at offset %d", e.partition, e.n, before.n, r.Offset)
		}
		if ok && e.life < before.life && !w.births[e.life].in.faulted {
			w.problem("invariant 3: %s has number %d of reader %d (%s) after number %d of reader %d (%s), at offset %d", e.partition, e.n,
				e.life, w.births[e.life].in.name, before.n, before.life, w.births[before.life].in.name, r.Offset)
		}
	}
	for p := range sourceParts {
		name := "p" + strconv.Itoa(p)
		if n := int64(len(arrived[name])); n != w.plan.records {
			w.problem("invariant 1: %s has %d numbers of %d", name, n, w.plan.records)
		}
	}
	// What an instance sent before it was cut off or frozen may arrive after another took over, and then be the last offset that is
	// stored: with delivery at least once records may come again. Nothing is lost by it.
	faulted := !w.plan.once && slices.ContainsFunc(w.instances, func(i *instance) bool { return i.faulted })
	stored, highest := map[string]int64{}, map[string]int64{}
	for _, r := range w.records(offsetTopic) {
		name, n, err := storedOffset(r)
		if name == "" || err != nil {
			w.problem("offset %s=%s can't be read", r.Key, r.Value)
			continue
		}
		if n < stored[name] && !faulted {
			w.problem("invariant 3: the stored offset of %s went back from %d to %d", name, stored[name], n)
		}
		stored[name], highest[name] = n, max(n, highest[name])
		if n > int64(len(arrived[name])) || arrived[name][n-1].After(r.Timestamp) {
			w.problem("invariant 1: offset %d of %s was stored before number %d had arrived", n, name, n)
		}
	}
	for p := range sourceParts {
		name := "p" + strconv.Itoa(p)
		if highest[name] != w.plan.records || stored[name] != w.plan.records && !faulted {
			w.problem("the stored offset of %s is %d at the end, and was %d, want %d", name, stored[name], highest[name], w.plan.records)
		}
	}
}

// storedOffset returns the source partition and the number of a stored offset.
func storedOffset(r *kgo.Record) (partition string, n int64, err error) {
	n, err = strconv.ParseInt(storedNumber.FindString(string(r.Value)), 10, 64)
	return storedPartition.FindString(string(r.Key)), n, err
}

var storedPartition, storedNumber = regexp.MustCompile(`p\d`), regexp.MustCompile(`-?\d+`)

// checkStored: the last offset of every source partition has been stored.
func (w *world) checkStored() (problem string) {
	missing := map[string]bool{}
	for p := range sourceParts {
		missing["p"+strconv.Itoa(p)] = true
	}
	for _, r := range w.records(offsetTopic) {
		if name, n, err := storedOffset(r); err == nil && n == w.plan.records {
			delete(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("the last offsets of %v are not stored", missing)
}

// checkSink: everything in the topic was delivered (1).
func (w *world) checkSink() {
	for _, r := range w.records(outTopic) {
		if got := w.delivered[r.Partition][r.Offset]; got != string(r.Value) {
			w.problem("invariant 1: offset %d of partition %d is %q, delivered was %q", r.Offset, r.Partition, r.Value, got)
		}
	}
}

// watchCommits checks, once a second, that the sink's committed offsets are not ahead of what was delivered (1), and don't go
// back (3), and that readers end in time (3).
func (w *world) watchCommits(stop <-chan struct{}) {
	committed := map[int32]int64{}
	f := w.follow()
	defer f.close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stop:
			return
		}
		w.mu.Lock()
		for l := range w.superseded {
			w.checkSuperseded(l)
		}
		w.mu.Unlock()
		info := w.k.GroupInfo("connect-sink")
		if info == nil {
			continue
		}
		f.read()
		w.mu.Lock()
		for p, c := range info.Commits[outTopic] {
			if missing, ok := f.undelivered(p); ok && c.Offset > missing {
				w.problemLocked("invariant 1: offset %d of partition %d is committed, and %d is not delivered", c.Offset, p, missing)
			}
			if c.Offset < committed[p] {
				w.problemLocked("invariant 3: the committed offset of partition %d went back from %d to %d", p, committed[p], c.Offset)
			}
			committed[p] = c.Offset
		}
		w.mu.Unlock()
	}
}

// follower knows what there is to deliver: with transactions an offset may be no record's, or that of an aborted one.
type follower struct {
	w      *world
	client *kgo.Client       // nil without transactions
	left   map[int32][]int64 // offsets of committed records that were not delivered when it looked last
	next   map[int32]int64   // without transactions: the first offset that was not delivered
}

func (w *world) follow() *follower {
	f := &follower{w: w, left: map[int32][]int64{}, next: map[int32]int64{}}
	if w.plan.once {
		f.client = w.k.Client(kgo.ConsumeTopics(outTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	return f
}

func (f *follower) close() {
	if f.client != nil {
		f.client.Close()
	}
}

// read notes what was committed meanwhile.
func (f *follower) read() {
	if f.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	f.client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { f.left[r.Partition] = append(f.left[r.Partition], r.Offset) })
}

// undelivered returns the first offset that was not delivered, if one is known. The caller has the lock.
func (f *follower) undelivered(p int32) (offset int64, ok bool) {
	if f.client == nil {
		for ; f.w.delivered[p][f.next[p]] != ""; f.next[p]++ {
		}
		return f.next[p], true
	}
	for len(f.left[p]) > 0 && f.w.delivered[p][f.left[p][0]] != "" {
		f.left[p] = f.left[p][1:]
	}
	if len(f.left[p]) == 0 {
		return 0, false
	}
	return f.left[p][0], true
}

// stopSpinning ends what would go on for ever, as time stands still: a client that fetches again and again. It happened once
// in some hundred seeds, for a reason that is not known, and breaks no invariant: it is counted.
func (w *world) stopSpinning() {
	var last time.Time
	count := 0
	w.k.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.k.KeepControl()
		if now := time.Now(); !now.Equal(last) {
			last, count = now, 0
		}
		const most = 20000
		if count++; count < most {
			return nil, nil, false
		}
		if count == most {
			w.mu.Lock()
			w.spins++
			w.mu.Unlock()
			w.t.Logf("seed %d: a client fetches for ever: %+v", w.plan.seed, r)
		}
		return nil, errors.New("it fetches for ever"), true
	})
}

// checkArrived: all numbers of the source were delivered by the sink, and all that is in the topic.
func (w *world) checkArrived() (problem string) {
	w.mu.Lock()
	numbers := map[string]bool{}
	for _, values := range w.delivered {
		for _, v := range values {
			numbers[v[:strings.LastIndexByte(v, ':')]] = true
		}
	}
	w.mu.Unlock()
	if int64(len(numbers)) < sourceParts*w.plan.records {
		return fmt.Sprintf("%d numbers of %d have arrived", len(numbers), sourceParts*w.plan.records)
	}
	all := w.records(outTopic)
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.ContainsFunc(all, func(r *kgo.Record) bool { return w.delivered[r.Partition][r.Offset] == "" }) {
		return "not all that is in the topic was delivered"
	}
	return ""
}

// checkStatuses: every instance says that everything runs, and where it does.
func (w *world) checkStatuses() (problem string) {
	live := w.live()
	for _, name := range []string{"source", "sink"} {
		var first string
		for _, i := range live {
			s, err := i.status(name)
			if err != nil {
				return fmt.Sprintf("%s can't tell the status of %s: %v", i.name, name, err)
			}
			if s.State != cluster.Running || len(s.Tasks) == 0 || slices.ContainsFunc(s.Tasks, func(t cluster.TaskStatus) bool { return t.State != cluster.Running }) {
				return fmt.Sprintf("invariant 9: to %s %s is %+v", i.name, name, s)
			}
			text := fmt.Sprintf("%s %+v", s.Worker, s.Tasks)
			if first == "" {
				first = text
			}
			if text != first {
				return fmt.Sprintf("invariant 9: to %s %s is at %s, to %s at %s", i.name, name, text, live[0].name, first)
			}
		}
	}
	return ""
}
