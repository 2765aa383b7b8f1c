package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// run carries the lines of the file over, until all that were there at the start have arrived or ctx ends.
func (p *program) run(ctx context.Context) error {
	whole, size, err := p.checkFiles()
	if err != nil {
		return err
	}
	if whole < size {
		fmt.Fprintf(p.stderr, "%s: the last line has no line end, so it waits until it has one\n", p.shown)
	}
	if whole == 0 && !p.follow {
		fmt.Fprintf(p.stdout, "%s has no lines yet.\n", p.shown)
		return nil
	}
	brokers := strings.Split(p.bootstrap, ",")
	where := "Kafka at " + p.bootstrap
	if p.bootstrap == "" {
		var stop func()
		if brokers, stop, err = startKafka(p.data, p.port); err != nil {
			return err
		}
		defer stop()
		where = fmt.Sprintf("a Kafka in this process (%s, data in %s)", brokers[0], p.data)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	w := &watch{program: p, admin: kadm.NewClient(client), whole: whole, size: size}
	if err := w.prepare(ctx, client); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C came early
		}
		return err
	}
	fmt.Fprintf(p.stdout, "%s -> topic %s of %s -> %s\n", p.shown, p.topic, where, p.out)

	rt, err := p.pipeline(brokers)
	if err != nil {
		return err
	}
	began := time.Now()
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	w.rt = rt
	watched := make(chan error, 1)
	go func() {
		watched <- w.run(running)
		cancel()
	}()
	err = rt.Run(running)
	cancel()
	if err = errors.Join(<-watched, err); err != nil {
		return err
	}
	return w.summary(context.WithoutCancel(ctx), time.Since(began))
}

// checkFiles returns how much of FILE there is to carry over, and its size.
func (p *program) checkFiles() (whole, size int64, err error) {
	f, err := os.Open(p.file)
	if err != nil {
		return 0, 0, plain(err, "FILE", p.shown)
	}
	defer f.Close()
	in, err := f.Stat()
	if err != nil {
		return 0, 0, plain(err, "FILE", p.shown)
	}
	if !in.Mode().IsRegular() {
		return 0, 0, fmt.Errorf("FILE %s is not a regular file", p.shown)
	}
	if out, err := os.Stat(p.out); err == nil && (out.IsDir() || os.SameFile(in, out)) {
		return 0, 0, fmt.Errorf("-out %s is a folder or FILE itself; it has to be another file", p.out)
	}
	whole, err = wholeLines(f, in.Size())
	return whole, in.Size(), err
}

// plain makes one sentence of an error about a file.
func plain(err error, what, name string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s does not exist", what, name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s %s: no permission to read it", what, name)
	}
	return fmt.Errorf("%s %s: %w", what, name, err)
}

// wholeLines returns where the last complete line of the first size bytes ends. A line ends with \n, \r\n or \r; a \r
// at the end does not count, since \n may follow.
func wholeLines(r io.ReaderAt, size int64) (int64, error) {
	const step = 64 << 10
	buf := make([]byte, step)
	for end := size; end > 0; {
		from := max(end-step, 0)
		if n, err := r.ReadAt(buf[:end-from], from); err != nil && (err != io.EOF || int64(n) < end-from) {
			return 0, err
		}
		for i := end - 1; i >= from; i-- {
			if c := buf[i-from]; c == '\n' || c == '\r' && i < size-1 {
				return i + 1, nil
			}
		}
		end = from
	}
	return 0, nil
}

// watch follows the pipeline: it knows how far it is, and when it is done.
type watch struct {
	*program
	rt          *cluster.Runtime
	admin       *kadm.Client
	whole, size int64 // of FILE: where the last complete line ends, and the size

	first int64 // where the sink began in the topic
	now   state
}

// state is how far the pipeline is.
type state struct {
	position  int64 // in FILE: what is safely in Kafka
	end       int64 // lines in the topic
	committed int64 // lines of them that are safely in the other file
}

func (w *watch) group() string { return "connect-" + w.sinkName() }

// prepare checks that Kafka answers and that what is stored there goes with the files.
func (w *watch) prepare(ctx context.Context, client *kgo.Client) error {
	if err := reach(ctx, client); err != nil {
		return fmt.Errorf("no Kafka answers at %s: %w", w.bootstrap, err)
	}
	state, err := w.topic(ctx)
	if err != nil {
		return err
	}
	out, err := os.Stat(w.out)
	switch {
	case errors.Is(err, fs.ErrNotExist) && state.committed > 0:
		fmt.Fprintf(w.stderr, "%s is gone: it is written anew\n", w.out)
		if _, err := w.admin.DeleteGroup(ctx, w.group()); err != nil {
			return fmt.Errorf("the position of the last run can't be removed: %w", err)
		}
		state.committed = 0
	case err == nil && out.Size() > 0 && state.committed == 0:
		fmt.Fprintf(w.stderr, "%s is there already: lines are added to it\n", w.out)
	}
	w.first, w.now = state.committed, state
	return nil
}

// reachTimeout is how long Kafka may take to answer.
const reachTimeout = 3 * time.Second

func reach(ctx context.Context, client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	var err error
	for ctx.Err() == nil {
		if now := client.Ping(ctx); now == nil {
			return nil
		} else if err == nil || !errors.Is(now, context.DeadlineExceeded) {
			err = now
		}
		select {
		case <-time.After(reachTimeout / 20):
		case <-ctx.Done():
		}
	}
	return err
}

// topic returns how many lines the topic has, and how many of them the sink has written.
func (w *watch) topic(ctx context.Context) (s state, err error) {
	ends, err := w.admin.ListEndOffsets(ctx, w.program.topic)
	if err != nil {
		return s, err
	}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err == nil {
			s.end += o.Offset
		}
	})
	committed, err := w.admin.FetchOffsets(ctx, w.group())
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return s, err
	}
	committed.Each(func(o kadm.OffsetResponse) { s.committed += max(o.At, 0) })
	return s, nil
}

// look brings w.now up to date.
func (w *watch) look(ctx context.Context) error {
	for _, name := range []string{w.sourceName(), w.sinkName()} {
		s, err := w.rt.Status(ctx, name)
		if err != nil {
			return err
		}
		if s.Err != nil {
			return s.Err
		}
		for _, t := range s.Tasks {
			if t.State == cluster.Failed {
				return t.Err
			}
		}
	}
	stored, err := w.rt.Offsets(ctx, w.sourceName())
	if err != nil {
		return err
	}
	position := w.now.position
	for _, o := range stored {
		if o.Partition["filename"] == w.file {
			position, _ = o.Offset["position"].(int64)
		}
	}
	if position > w.size && !w.follow {
		return fmt.Errorf("%d bytes of %s were read already, and it has only %d now: was it replaced? Another -topic reads it from its start", position, w.shown, w.size)
	}
	now, err := w.topic(ctx) // after the position, so that all lines up to it are counted
	if err == nil {
		now.position = position
		w.now = now
	}
	return err
}

// run watches until everything has arrived, the pipeline has failed, or ctx ends.
func (w *watch) run(ctx context.Context) error {
	show := w.newProgress()
	defer show.close()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := w.look(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		show.update(w.now)
		if !w.follow && w.now.position >= w.whole && w.now.committed >= w.now.end {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// summary says what went where.
func (w *watch) summary(ctx context.Context, took time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	now, err := w.topic(ctx) // stopping has committed the rest
	if err != nil {
		return fmt.Errorf("how many lines were written is not known: %w", err)
	}
	n := now.committed - w.first
	done := w.now.position >= w.whole && now.committed >= now.end
	switch {
	case n == 0 && done:
		fmt.Fprintf(w.stdout, "Nothing to do: all lines of %s are in %s already.\n", w.shown, w.out)
	case n == 0:
		fmt.Fprintf(w.stdout, "Stopped before a line was written to %s.\n", w.out)
	case w.follow:
		fmt.Fprintf(w.stdout, "%s went from %s to %s in %v.\n", lines(n), w.shown, w.out, round(took))
	default:
		rate := int64(float64(n) / took.Seconds())
		fmt.Fprintf(w.stdout, "%s went from %s to %s in %v (%s).\n", lines(n), w.shown, w.out, round(took), perSecond(rate))
	}
	if !done {
		fmt.Fprintln(w.stdout, "There is more: the next run goes on from here.")
	}
	return nil
}
