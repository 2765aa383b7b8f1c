//go:build synctests

package simulation

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// rest is how long everything may take to come to rest when nothing fails any more.
const rest = 30 * time.Minute

func (w *world) heal(i *instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !i.killed {
		i.link.Heal()
	}
}

func (i *instance) restart(ctx context.Context, name string) error {
	return i.Restart(ctx, name, cluster.RestartOptions{Tasks: true})
}

func (i *instance) status(name string) (cluster.ConnectorStatus, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return i.Status(ctx, name)
}

// put configures a connector, on whichever instance can.
func (w *world) put(name string, cfg connect.Config) {
	for end := time.Now().Add(rest); ; sleep(time.Second) {
		for _, i := range w.live() {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			err := i.PutConnector(ctx, name, cfg)
			if err == nil {
				err = i.Resume(ctx, name)
			}
			cancel()
			if err == nil {
				return
			}
			w.note("  put %s on %s: %v", name, i.name, err)
		}
		if time.Now().After(end) {
			w.problem("connector %s can't be configured", name)
			return
		}
	}
}

// run goes through the schedule, waits until everything has come to rest, checks, stops, and checks again.
func (w *world) run() {
	stop := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		w.watchCommits(stop)
	}()
	for range w.plan.size {
		w.start()
	}
	w.put("source", w.plan.source)
	w.put("sink", w.plan.sink)
	for _, s := range w.plan.steps {
		sleep(s.at - time.Since(w.begin))
		w.note("STEP %s", s.name)
		s.do(w)
	}
	sleep(time.Minute) // what still lasts ends
	w.note("QUIET")
	w.mu.Lock()
	w.quiet = true
	w.mu.Unlock()
	for len(w.live()) < 2 {
		w.start()
	}
	w.put("source", w.plan.source)
	w.put("sink", w.plan.sink)
	w.settle("everything arrives", w.checkArrived)
	w.settle("statuses", w.checkStatuses)
	w.settle("offsets", w.checkStored) // who read last may have died, and its work waits for it to come back
	sleep(15 * time.Second)
	w.settle("everything arrives that came again", w.checkArrived)
	w.note("END")
	for _, i := range w.live() {
		i.gone = true
		i.cancel()
	}
	for _, i := range w.instances {
		select {
		case <-i.ended:
		case <-time.After(rest):
			w.problem("invariant 7: Run of %s does not return", i.name)
		}
	}
	sleep(3 * time.Minute) // clients that were left behind give up
	close(stop)
	<-watched
	w.check()
}

// settle waits until there is no problem any more.
func (w *world) settle(what string, problem func() string) {
	for end := time.Now().Add(rest); ; sleep(time.Second) {
		p := problem()
		if p == "" {
			return
		}
		if time.Now().After(end) {
			w.problem("%s: not within %v: %s", what, rest, p)
			w.describe()
			return
		}
	}
}

// describe notes who does what.
func (w *world) describe() {
	w.mu.Lock()
	for p, l := range w.readers {
		w.trace = append(w.trace, fmt.Sprintf("  reader of %s is life %d on %s", p, l.id, l.in.name))
	}
	for p, l := range w.holders {
		w.trace = append(w.trace, fmt.Sprintf("  holder of %d is life %d on %s", p, l.id, l.in.name))
	}
	w.mu.Unlock()
	w.note("  workers' group: %+v", w.k.GroupInfo("sim"))
	w.note("  sink's group: %+v", w.k.GroupInfo("connect-sink"))
	w.note("%s", stacks())
	for _, i := range w.live() {
		for _, name := range []string{"source", "sink"} {
			s, err := i.status(name)
			w.note("  %s: %+v %v", i.name, s, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		tasks, err := i.Tasks(ctx, "source")
		w.note("  %s: %+v %v", i.name, tasks, err)
		cancel()
	}
}

func (w *world) String() string { return fmt.Sprintf("seed %d", w.plan.seed) }

// stacks are those of all goroutines.
func stacks() string {
	b := make([]byte, 8<<20)
	return string(b[:runtime.Stack(b, true)])
}
