package probe

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// sourceTask is a source task. Its calls but CommitRecord and Commit are never concurrent, and those two share only
// what does not change after Start, and the counts of their own calls.
type sourceTask struct {
	process *Process
	cfg     connect.Config
	tc      connect.SourceTaskContext
	actor   *actor
	commits *actor // counts commitRecord and commit
	main    string // the goroutine that started it
	plan    []planned
	at      int
	idle    bool   // it was written down that there is nothing
	until   string // the gate of which it was written down that it is closed
	batch   []connect.SourceRecord
}

// lane is main for calls on the goroutine that started the task.
func (t *sourceTask) lane() string {
	if goroutine() == t.main {
		return "main"
	}
	return "other"
}

func (t *sourceTask) Start(ctx context.Context, tc connect.SourceTaskContext, cfg connect.Config) error {
	t.cfg, t.tc, t.main = cfg, tc, goroutine()
	no := number(cfg["task.no"], 0)
	t.actor = &actor{process: t.process, connector: cfg["name"], task: no, rules: rules(cfg, ""), do: t.act}
	t.actor.number, t.actor.label = t.process.instance(cfg["name"], fmt.Sprintf("t%d", no))
	own := *t.actor
	t.commits = &own
	t.actor.begin("initialize", "main").end(nil)
	start := t.actor.begin("start", "main")
	plan := cfg["source.plan"]
	if own, ok := cfg[fmt.Sprintf("source.plan.%d", no)]; ok {
		plan = own
	}
	var err error
	if t.plan, err = parsePlan(plan); err != nil {
		return start.end(err)
	}
	if read := cfg["source.read"]; read != "" {
		if err := t.read(ctx, start, read); err != nil {
			return start.end(err)
		}
	}
	err = start.run(t.actor.count("start"))
	if err == nil {
		start.event["transactionContext"] = "null"
		if tc.Transactions() != nil {
			start.event["transactionContext"] = "present"
		}
	}
	return start.end(err)
}

// read reads stored offsets, and skips what they say was polled.
func (t *sourceTask) read(ctx context.Context, start *call, read string) error {
	var partitions []connect.Fields
	if err := decode(read, &partitions); err != nil {
		return err
	}
	for i := range partitions {
		partitions[i] = fields(partitions[i])
	}
	offsets, err := t.tc.Offsets().Offsets(ctx, partitions)
	if err != nil {
		return err
	}
	if len(offsets) == 1 {
		start.event["offset"] = show(offsets[0])
	} else {
		all := make([]any, len(offsets))
		for i, o := range offsets {
			all[i] = show(o)
		}
		start.event["offsets"] = all
	}
	field := t.cfg["source.resume"]
	if field == "" || len(offsets) == 0 || offsets[0] == nil {
		return nil
	}
	stored, ok := offsets[0][field].(int64)
	if !ok {
		return nil
	}
	for i, p := range t.plan {
		if len(p.records) == 0 {
			continue
		}
		last := p.records[len(p.records)-1]
		if offset, ok := last.SourceOffset.(connect.Fields); ok {
			if n, ok := offset[field].(int64); ok && n <= stored {
				t.at = i + 1
			}
		}
	}
	return nil
}

func (t *sourceTask) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	poll := t.actor.begin("poll", t.lane())
	if t.at >= len(t.plan) {
		timer := time.NewTimer(100 * time.Millisecond)
		defer timer.Stop()
		if !t.idle {
			t.idle = true
			poll.event["returns"] = "idle"
			poll.end(nil)
		}
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		return nil, nil
	}
	entry := t.plan[t.at]
	if entry.until != "" {
		if !t.actor.isOpen(entry.until) {
			if t.until != entry.until {
				t.until = entry.until
				poll.event["returns"] = "null until " + entry.until
				poll.end(nil)
			}
			<-time.After(20 * time.Millisecond)
			return nil, nil
		}
		t.at++
		return t.Poll(ctx)
	}
	t.batch = entry.records
	poll.event["returns"] = entry.shown
	if err := poll.end(poll.run(t.actor.count("poll"))); err != nil {
		return nil, err
	}
	t.at++
	return entry.records, nil
}

// CommitRecord implements [connect.RecordCommitter].
func (t *sourceTask) CommitRecord(_ context.Context, r *connect.SourceRecord, m *connect.RecordMetadata) error {
	commit := t.commits.begin("commitRecord", t.lane())
	commit.event["metadata"] = nil
	if isNone(r) {
		commit.event["record"] = "null"
	} else {
		commit.event["value"], commit.event["topic"] = text(r.Value), r.Topic
	}
	if m != nil {
		commit.event["metadata"] = fmt.Sprintf("%s-%d@%d", m.Topic, m.Partition, m.Offset)
	}
	return commit.end(commit.run(t.commits.count("commitRecord")))
}

// Commit implements [connect.BatchCommitter].
func (t *sourceTask) Commit(context.Context) error {
	commit := t.commits.begin("commit", t.lane())
	return commit.end(commit.run(t.commits.count("commit")))
}

func (t *sourceTask) Stop(context.Context) error {
	if t.actor == nil {
		return nil
	}
	stop := t.actor.begin("stop", t.lane())
	return stop.end(stop.run(t.actor.count("stop")))
}

// act does the actions of source tasks.
func (t *sourceTask) act(c *call, name, arg string) error {
	switch name {
	case "readOffsets":
		offset, err := readOffset(t.tc.Offsets(), arg)
		c.event["offset"] = offset
		return err
	case "configs":
		return asInStart(c, t.tc, t.cfg)
	case "commitTransaction", "abortTransaction":
		return t.transaction(c, name, arg)
	}
	return fmt.Errorf("the probe's source task knows no action %q", name)
}

func (t *sourceTask) transaction(c *call, name, arg string) error {
	tx := t.tc.Transactions()
	if tx == nil {
		return exception("runtime", "there is no transaction context")
	}
	batch, at := tx.CommitBatch, tx.CommitAt
	if name == "abortTransaction" {
		batch, at = tx.AbortBatch, tx.AbortAt
	}
	if arg == "" {
		return c.context(name, "", nil, func() error { batch(); return nil })
	}
	matches, err := full(arg)
	if err != nil {
		return err
	}
	for i, r := range t.batch {
		if v, ok := r.Value.(string); ok && matches(v) {
			if err := c.context(name, "record", text(r.Value), func() error { at(i); return nil }); err != nil {
				return err
			}
		}
	}
	return nil
}

// asInStart adds to the event whether the configuration is still that of the start.
func asInStart(c *call, tc connect.TaskContext, cfg connect.Config) error {
	now, err := tc.Config(context.Background())
	if err != nil {
		return err
	}
	c.event["configs"] = "as in start"
	if len(now) != len(cfg) {
		c.event["configs"] = "other"
	}
	for k, v := range now {
		if cfg[k] != v {
			c.event["configs"] = "other"
		}
	}
	return nil
}

// full returns a function that matches whole texts.
func full(pattern string) (func(string) bool, error) {
	re, err := regexp.Compile("^(?s:" + strings.TrimSpace(pattern) + ")$")
	if err != nil {
		return nil, err
	}
	return re.MatchString, nil
}
