package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/internal/pipeline"
	"github.com/gokconnect/connect/internal/tolerance"
	"github.com/gokconnect/connect/offsets"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// journal is what happened, in order. It is safe for concurrent use.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// with returns the lines that begin so.
func (j *journal) with(prefixes ...string) []string {
	return slices.DeleteFunc(j.all(), func(s string) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
	})
}

func (j *journal) count(prefix string) int { return len(j.with(prefix)) }

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func options(t testing.TB, j *journal) TaskOptions {
	return TaskOptions{ID: connect.TaskID{Connector: "c"}, Grace: 5 * time.Second,
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Status: func(s State, err error) {
			if err != nil {
				j.add("%s: %v", s, err)
				return
			}
			j.add("%s", s)
		}}
}

// end stops a task and waits for it.
func end(t testing.TB, task *Task) {
	t.Helper()
	task.Stop()
	<-task.Done()
	if !task.Abandoned() {
		<-task.Ended()
	}
}

// source is a source task made of functions; what is nil does nothing. Calls are written down.
type source struct {
	*journal
	start        func(ctx context.Context) error
	poll         func(ctx context.Context, n int) ([]connect.SourceRecord, error) // n counts the calls, from 1
	stop         func() error
	commit       func() error
	commitRecord func(r *connect.SourceRecord, m *connect.RecordMetadata) error
	polls        int
}

func (s *source) Start(ctx context.Context, _ connect.SourceTaskContext, _ connect.Config) error {
	s.add("start")
	if s.start == nil {
		return nil
	}
	return s.start(ctx)
}

func (s *source) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	s.polls++
	s.add("poll %d", s.polls)
	if s.poll == nil {
		<-ctx.Done()
		return nil, nil
	}
	return s.poll(ctx, s.polls)
}

func (s *source) Stop(context.Context) error {
	s.add("stop")
	if s.stop == nil {
		return nil
	}
	return s.stop()
}

func (s *source) Commit(context.Context) error {
	s.add("commit")
	if s.commit == nil {
		return nil
	}
	return s.commit()
}

func (s *source) CommitRecord(_ context.Context, r *connect.SourceRecord, m *connect.RecordMetadata) error {
	if m == nil {
		s.add("dropped %v", r.Value)
	} else {
		s.add("acked %v", r.Value)
	}
	if s.commitRecord == nil {
		return nil
	}
	return s.commitRecord(r, m)
}

// lines returns the records numbered from to to-1 of the topic t and the source partition p, with offsets {n: number+1}.
func lines(from, to int) []connect.SourceRecord { return linesOf("t", "p", from, to) }

func linesOf(topic, partition string, from, to int) []connect.SourceRecord {
	var out []connect.SourceRecord
	for i := from; i < to; i++ {
		out = append(out, connect.SourceRecord{Record: connect.Record{Topic: topic, Value: fmt.Sprint(i)},
			SourcePartition: connect.Fields{"p": partition}, SourceOffset: connect.Fields{"n": int64(i + 1)}})
	}
	return out
}

// once is a poll that returns these records and then waits.
func once(batch []connect.SourceRecord) func(context.Context, int) ([]connect.SourceRecord, error) {
	return func(ctx context.Context, n int) ([]connect.SourceRecord, error) {
		if n == 1 {
			return batch, nil
		}
		<-ctx.Done()
		return nil, nil
	}
}

// producer returns a producer as the pool makes it.
func producer(t testing.TB, k *kafkatest.Cluster, opts ...kgo.Opt) *kgo.Client {
	return k.Client(append([]kgo.Opt{kgo.RecordPartitioner(clients.Partitioner(kgo.StickyKeyPartitioner(nil))), kgo.ProducerLinger(0)}, opts...)...)
}

// sourceWorld is what a source task runs in.
type sourceWorld struct {
	k       *kafkatest.Cluster
	store   *offsets.Memory
	op      func() *tolerance.Operator
	steps   []pipeline.Step
	client  Producer
	sharing *clients.Sharing // of client
	opts    SourceOptions
	// throttle is that of the task, or nil.
	throttle func() connconfig.Throttle
	// letters and maxRequest are those of the task's parts.
	letters    *SourceLetters
	maxRequest int
	// forward is how batches pass as they are, or nil.
	forward func() *Forwarding
}

func newSourceWorld(t testing.TB, j *journal, k *kafkatest.Cluster) *sourceWorld {
	return &sourceWorld{k: k, sharing: clients.NewSharing(), store: new(offsets.Memory), client: producer(t, k), op: func() *tolerance.Operator { return tolerance.New(tolerance.Policy{}) },
		opts: SourceOptions{TaskOptions: options(t, j), FlushInterval: time.Minute, FlushTimeout: 5 * time.Second}}
}

// run starts the task; newTask makes one for each of its runs.
func (w *sourceWorld) run(newTask func() connect.SourceTask) *Task {
	w.opts.New = func(context.Context) (*SourceParts, error) {
		op := w.op()
		var forward *Forwarding
		if w.forward != nil {
			forward = w.forward()
		}
		return &SourceParts{Forward: forward, Task: newTask(), Operator: op, Pipeline: pipeline.NewSource(w.steps, textConverters(), op), Producer: w.client, Sharing: w.sharing, Offsets: w.store, Throttle: w.throttle,
			Letters: w.letters, MaxRequest: w.maxRequest}, nil
	}
	return StartSource(w.opts)
}

func (w *sourceWorld) task(s *source) *Task { return w.run(func() connect.SourceTask { return s }) }

// stored returns the offsets that are stored, by partition.
func (w *sourceWorld) stored(t testing.TB) map[string]int64 {
	t.Helper()
	list, err := w.store.List(context.Background(), "c")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, e := range list {
		out[fmt.Sprint(e.Partition["p"])] = e.Offset["n"].(int64)
	}
	return out
}

// sink is a sink task made of functions. Calls are written down.
type sink struct {
	*journal
	tc        connect.SinkTaskContext
	start     func(tc connect.SinkTaskContext) error
	put       func(ctx context.Context, recs []connect.SinkRecord) error
	open      func(tps []connect.TopicPartition) error
	close     func(tps []connect.TopicPartition) error
	preCommit func(offsets connect.SinkOffsets) (connect.SinkOffsets, error)
	stop      func() error
}

func (s *sink) Start(_ context.Context, tc connect.SinkTaskContext, _ connect.Config) error {
	s.add("start")
	s.tc = tc
	if s.start == nil {
		return nil
	}
	return s.start(tc)
}

func (s *sink) Put(ctx context.Context, recs []connect.SinkRecord) error {
	var vs []string
	for _, r := range recs {
		vs = append(vs, fmt.Sprint(r.Value))
	}
	var err error
	if s.put != nil {
		err = s.put(ctx, recs)
	}
	switch {
	case len(vs) == 0:
	case err != nil:
		s.add("failed %s", strings.Join(vs, " "))
	default:
		s.add("put %s", strings.Join(vs, " "))
	}
	return err
}

func (s *sink) OpenPartitions(_ context.Context, tps []connect.TopicPartition) error {
	s.add("open %v", tps)
	if s.open == nil {
		return nil
	}
	return s.open(tps)
}

func (s *sink) ClosePartitions(_ context.Context, tps []connect.TopicPartition) error {
	s.add("close %v", tps)
	if s.close == nil {
		return nil
	}
	return s.close(tps)
}

func (s *sink) PreCommit(_ context.Context, offsets connect.SinkOffsets) (connect.SinkOffsets, error) {
	s.add("preCommit %v", offsets)
	if s.preCommit == nil {
		return offsets, nil
	}
	return s.preCommit(offsets)
}

func (s *sink) Stop(context.Context) error {
	s.add("stop")
	if s.stop == nil {
		return nil
	}
	return s.stop()
}

// sinkWorld is what a sink task runs in.
type sinkWorld struct {
	k       *kafkatest.Cluster
	link    *kafkatest.Link
	op      func(letters *DeadLetters) *tolerance.Operator
	steps   []pipeline.Step
	parts   SinkParts
	opts    SinkOptions
	letters Producer // dead letters to the topic dlq go there, or nil
	client  []kgo.Opt
}

func newSinkWorld(t testing.TB, j *journal, k *kafkatest.Cluster) *sinkWorld {
	w := &sinkWorld{k: k, link: k.NewLink(), parts: SinkParts{Topics: []string{"t"}, RebalanceTimeout: time.Minute},
		op:   func(*DeadLetters) *tolerance.Operator { return tolerance.New(tolerance.Policy{}) },
		opts: SinkOptions{TaskOptions: options(t, j), CommitInterval: time.Minute, CommitTimeout: 5 * time.Second}}
	return w
}

func (w *sinkWorld) run(newTask func() connect.SinkTask) *Task {
	w.opts.New = func(context.Context) (*SinkParts, error) {
		p := w.parts
		if w.letters != nil {
			p.DeadLetters = &DeadLetters{ID: w.opts.ID, Topic: "dlq", Producer: w.letters}
		}
		p.Task, p.Operator = newTask(), w.op(p.DeadLetters)
		p.Pipeline = pipeline.NewSink(w.steps, textConverters(), p.Operator)
		p.Consumer = func(opts ...kgo.Opt) (*kgo.Client, error) {
			own := append(w.link.ClientOpts(), kgo.ConsumerGroup("g"), kgo.Balancers(kgo.RangeBalancer()), kgo.FetchMaxWait(500*time.Millisecond),
				kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
				kgo.RebalanceTimeout(p.RebalanceTimeout))
			return kgo.NewClient(slices.Concat(own, w.client, opts)...)
		}
		return &p, nil
	}
	return StartSink(w.opts)
}

func (w *sinkWorld) task(s *sink) *Task { return w.run(func() connect.SinkTask { return s }) }

// produce writes numbered records to the partitions of a topic in turn.
func (w *sinkWorld) produce(topic string, partitions, from, to int) {
	var recs []*kgo.Record
	for i := from; i < to; i++ {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: []byte(fmt.Sprint(i)), Key: []byte("k")})
	}
	w.k.Produce(recs...)
}

// committed returns the committed offset of a partition, or -1.
func (w *sinkWorld) committed(t testing.TB, topic string, partition int32) int64 {
	t.Helper()
	cl := w.k.Client()
	defer cl.Close()
	got, err := kadm.NewClient(cl).FetchOffsets(context.Background(), "g")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := got.Lookup(topic, partition); ok {
		return o.At
	}
	return -1
}

// tolerant returns an operator that skips what fails, and writes dead letters if there are any.
func tolerant(letters *DeadLetters) *tolerance.Operator {
	if letters == nil {
		return tolerance.New(tolerance.Policy{Tolerate: true})
	}
	return tolerance.New(tolerance.Policy{Tolerate: true}, letters)
}

var errTest = errors.New("test")

// want reports a difference between lists of lines.
func want(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func numbers(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

// values returns the values of a topic's records.
func values(k *kafkatest.Cluster, topic string) []string {
	var out []string
	for _, r := range k.Records(topic) {
		out = append(out, string(r.Value))
	}
	return out
}
