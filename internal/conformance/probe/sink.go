package probe

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// sinkTask is a sink task. No two of its calls overlap.
type sinkTask struct {
	process *Process
	cfg     connect.Config
	tc      connect.SinkTaskContext
	actor   *actor
	flush   bool // preCommit is the default one
	full    bool // events show whole records
	empty   bool // it was written down that there is nothing to put
	plan    []string
	asked   int // calls of PreCommit
	reports []connect.Report
}

func (t *sinkTask) Start(_ context.Context, tc connect.SinkTaskContext, cfg connect.Config) error {
	t.cfg, t.tc = cfg, tc
	t.flush, t.full = cfg["sink.flush"] == "true", cfg["trace.full"] == "true"
	if plan := cfg["precommit.return"]; plan != "" {
		t.plan = strings.Split(plan, "|")
	}
	no := number(cfg["task.no"], 0)
	t.actor = &actor{process: t.process, connector: cfg["name"], task: no, rules: rules(cfg, ""), do: t.act}
	t.actor.number, t.actor.label = t.process.instance(cfg["name"], fmt.Sprintf("t%d", no))
	t.actor.begin("initialize", "main").end(nil)
	start := t.actor.begin("start", "main")
	start.event["reporter"], start.event["assignment"] = "null", t.assignment()
	if tc.ErrantRecordReporter() != nil {
		start.event["reporter"] = "present"
	}
	return t.end(start)
}

// end does what the rules say and ends a call.
func (t *sinkTask) end(c *call) error {
	t.empty = false
	return c.end(c.run(t.actor.count(c.method)))
}

func (t *sinkTask) assignment() []any { return names(t.tc.Partitions().Assigned()) }

func names(partitions []connect.TopicPartition) []any {
	out := make([]any, len(partitions))
	for i, tp := range partitions {
		out[i] = tp.String()
	}
	return out
}

func (t *sinkTask) OpenPartitions(_ context.Context, partitions []connect.TopicPartition) error {
	open := t.actor.begin("open", "main")
	open.event["partitions"] = names(partitions)
	return t.end(open)
}

func (t *sinkTask) ClosePartitions(_ context.Context, partitions []connect.TopicPartition) error {
	closing := t.actor.begin("close", "main")
	closing.event["partitions"] = names(partitions)
	return t.end(closing)
}

func (t *sinkTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	if len(records) == 0 {
		if !t.empty {
			t.actor.begin("putEmpty", "main").end(nil)
			t.empty = true
		}
		return nil
	}
	put := t.actor.begin("put", "main")
	shown := make([]any, len(records))
	for i := range records {
		if t.full {
			shown[i] = whole(&records[i])
		} else {
			shown[i] = line(&records[i])
		}
	}
	put.event["records"] = shown
	put.batch = records
	return t.end(put)
}

// line returns a record as topic-partition@offset:key=value.
func line(r *connect.SinkRecord) string {
	return fmt.Sprintf("%s-%v@%d:%s=%s", r.Topic, r.Partition, r.Offset, or(text(r.Key)), or(text(r.Value)))
}

func whole(r *connect.SinkRecord) map[string]any {
	headers := make([]any, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = fmt.Sprintf("%s=%s/%s", h.Key, or(text(h.Value)), strings.TrimSuffix(schema(h.Schema), "?"))
	}
	var timestamp any
	if !r.Timestamp.IsZero() {
		timestamp = r.Timestamp.UnixMilli()
	}
	return map[string]any{
		"record": line(r), "timestamp": timestamp, "timestampType": r.TimestampType.String(),
		"original":  fmt.Sprintf("%s-%d@%d", r.Origin.Topic, r.Origin.Partition, r.Offset),
		"keySchema": schemaOf(r.KeySchema), "valueSchema": schemaOf(r.ValueSchema), "headers": headers,
	}
}

// schemaOf returns a schema as events show it.
func schemaOf(s *connect.Schema) any {
	if s == nil {
		return nil
	}
	return schema(s)
}

func schema(s *connect.Schema) string {
	switch {
	case s == nil:
		return "null"
	case s.Optional():
		return s.Type().String() + "?"
	}
	return s.Type().String()
}

// PreCommit implements [connect.PreCommitter].
func (t *sinkTask) PreCommit(_ context.Context, offsets connect.SinkOffsets) (connect.SinkOffsets, error) {
	shown := make(map[string]any, len(offsets))
	for tp, at := range offsets {
		shown[tp.String()] = at
	}
	if t.flush {
		flush := t.actor.begin("flush", "main")
		flush.event["offsets"] = shown
		return offsets, t.end(flush)
	}
	pre := t.actor.begin("preCommit", "main")
	pre.event["offsets"] = shown
	entry := "all"
	if len(t.plan) > 0 {
		entry = strings.TrimSpace(t.plan[min(t.asked, len(t.plan)-1)])
		pre.event["returns"] = entry
	}
	t.asked++
	if err := t.end(pre); err != nil {
		return nil, err
	}
	switch entry {
	case "all":
		return offsets, nil
	case "null":
		return nil, nil
	case "empty":
		return connect.SinkOffsets{}, nil
	}
	return parseOffsets(entry)
}

// parseOffsets reads t-0=5,t-1=null. A null is a negative offset.
func parseOffsets(text string) (connect.SinkOffsets, error) {
	all := make(connect.SinkOffsets)
	for part := range strings.SplitSeq(text, ",") {
		name, at, _ := strings.Cut(strings.TrimSpace(part), "=")
		tp, err := parsePartition(name)
		if err != nil {
			return nil, err
		}
		offset, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			offset = -1
		}
		all[tp] = offset
	}
	return all, nil
}

func parsePartition(name string) (tp connect.TopicPartition, err error) {
	name = strings.TrimSpace(name)
	dash := strings.LastIndexByte(name, '-')
	if dash < 0 {
		return tp, fmt.Errorf("%q is no partition", name)
	}
	n, err := strconv.ParseInt(name[dash+1:], 10, 32)
	return connect.TopicPartition{Topic: name[:dash], Partition: int32(n)}, err
}

func (t *sinkTask) Stop(context.Context) error {
	if t.actor == nil {
		return nil
	}
	return t.end(t.actor.begin("stop", "main"))
}

// act does the actions of sink tasks.
func (t *sinkTask) act(c *call, name, arg string) error {
	switch name {
	case "requestCommit":
		return c.context(name, "", nil, func() error { t.tc.RequestCommit(); return nil })
	case "timeout":
		return c.context(name, "arg", arg, func() error { t.tc.Timeout(time.Duration(number(arg, 0)) * time.Millisecond); return nil })
	case "pause", "resume":
		var partitions []connect.TopicPartition
		for part := range strings.SplitSeq(arg, ",") {
			tp, err := parsePartition(part)
			if err != nil {
				return err
			}
			partitions = append(partitions, tp)
		}
		do := t.tc.Partitions().Pause
		if name == "resume" {
			do = t.tc.Partitions().Resume
		}
		return c.context(name, "arg", arg, func() error { return do(partitions...) })
	case "offset":
		offsets, err := parseOffsets(arg)
		if err != nil {
			return err
		}
		return c.context(name, "arg", arg, func() error { t.tc.Partitions().Seek(offsets); return nil })
	case "assignment":
		c.event["assignment"] = t.assignment()
		return nil
	case "configs":
		return asInStart(c, t.tc, t.cfg)
	case "throwIf":
		return t.throwIf(c, arg)
	case "report":
		return t.report(c, arg)
	case "awaitReports":
		for _, r := range t.reports {
			if err := r.Wait(context.Background()); err != nil {
				return err
			}
		}
		t.reports = nil
		return nil
	}
	return fmt.Errorf("the probe's sink task knows no action %q", name)
}

func (t *sinkTask) throwIf(c *call, arg string) error {
	pattern, rest, _ := strings.Cut(arg, " ")
	matches, err := full(pattern)
	if err != nil {
		return err
	}
	for _, r := range c.batch {
		if v, ok := r.Value.(string); ok && matches(v) {
			kind, message, _ := strings.Cut(strings.TrimSpace(rest), " ")
			return exception(kind, message)
		}
	}
	return nil
}

func (t *sinkTask) report(c *call, arg string) error {
	how, pattern, _ := strings.Cut(arg, " ")
	matches, err := full(pattern)
	if err != nil {
		return err
	}
	reporter := t.tc.ErrantRecordReporter()
	for i := range c.batch {
		v, ok := c.batch[i].Value.(string)
		if !ok || !matches(v) {
			continue
		}
		if reporter == nil {
			return exception("runtime", "there is no reporter")
		}
		err := c.context("report", "record", text(v), func() error {
			r, err := reporter.Report(context.Background(), &c.batch[i], exception("data", "reported "+v))
			switch {
			case err != nil:
				return err
			case how == "sync":
				return r.Wait(context.Background())
			case how == "async":
				t.reports = append(t.reports, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
