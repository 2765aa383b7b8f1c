package conformance_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/conformance/probe"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// playWorld is what a scenario is played in: a Kafka and workers in this process.
type playWorld struct {
	t         *testing.T
	s         *playScenario
	group     string        // of the workers
	patience  time.Duration // how many times longer than the scenario says is waited
	pace      time.Duration // the least time between two looks at a topic
	brokers   []string
	link      func() playLink
	client    *kgo.Client
	admin     *kadm.Client
	trace     *probe.Trace
	workers   map[string]*playWorker
	order     []string // names of workers, the first first
	responses map[int]*playReply
	logs      playLogs
	peers     playPeers
	scattered map[string]bool // topics, see there
	wanted    []lanes         // what is expected of the phases; nil before the first look
	runs      []chan struct{} // closed when a worker has ended, also one that was killed
}

// playLink is a worker's way to Kafka.
type playLink struct {
	opts []kgo.Opt
	cut  func() // what is left when the worker is killed
}

// newMemoryWorld returns a world in a synctest bubble.
func newMemoryWorld(t *testing.T, s *playScenario) *playWorld {
	k := kafkatest.New(t, kafkatest.Kfake(kfake.DefaultNumPartitions(1)))
	group := s.ID
	if s.Worker != "" {
		group = s.Worker
	}
	w := newWorld(t, s, group, k.Addrs(), func() playLink {
		l := k.NewLink()
		return playLink{l.ClientOpts(), l.Cut}
	})
	if s.Worker != "" {
		w.start("w1", group, s.Properties)
	}
	return w
}

func newWorld(t *testing.T, s *playScenario, group string, brokers []string, link func() playLink) *playWorld {
	w := &playWorld{t: t, s: s, group: group, patience: 1, brokers: brokers, link: link, trace: probe.NewTrace(), workers: make(map[string]*playWorker),
		responses: make(map[int]*playReply), scattered: s.scattered()}
	var err error
	if w.client, err = kgo.NewClient(append(link().opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...); err != nil {
		t.Fatal(err)
	}
	w.admin = kadm.NewClient(w.client)
	return w
}

// playWorker is a worker process.
type playWorker struct {
	name    string
	starts  int // how often it was started
	group   string
	props   map[string]string
	process *probe.Process
	rt      *cluster.Runtime
	cut     func()
	cancel  context.CancelFunc
	ended   chan error
}

// likes are the properties of the pools that workers can be like.
var likes = map[string]map[string]string{
	"slow": {"offset.flush.interval.ms": "3600000"},
	"fast": {"offset.flush.interval.ms": "250"},
	"eos":  {"offset.flush.interval.ms": "3600000", "exactly.once.source.support": "enabled", "producer.transaction.timeout.ms": "10000"},
}

func (w *playWorld) start(name, group string, props map[string]string) {
	p := &playWorker{name: name, group: group, props: props}
	w.workers[name] = p
	w.order = append(w.order, name)
	w.run(p)
}

// run runs a worker, once more after it ended.
func (w *playWorld) run(p *playWorker) {
	p.starts++
	label := ""
	if w.s.Worker == "" {
		label = p.name
		if p.starts > 1 {
			label = fmt.Sprintf("%s.%d", p.name, p.starts)
		}
	}
	p.process = probe.NewProcess(w.trace, label)
	link := w.link()
	p.cut = link.cut
	settings := connect.Config{
		"offset.storage.partitions": "1", "status.storage.partitions": "1", "config.storage.replication.factor": "1",
		"offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
		"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": "org.apache.kafka.connect.storage.StringConverter",
		"scheduled.rebalance.max.delay.ms": "0", "heartbeat.interval.ms": "500", "session.timeout.ms": "6000",
		"client.id": p.name, "rest.advertised.host.name": p.name, "rest.advertised.port": "8083",
	}
	for k, v := range p.props {
		settings[k] = v
	}
	delete(settings, "plugin.discovery")
	rt, err := cluster.New(cluster.KafkaConnectDefaults(cluster.Config{
		Brokers: w.brokers, GroupID: p.group, Client: link.opts, Worker: settings, Logger: slog.New(w.logs.handler(p.name)),
		Plugins: new(connect.Registry).MustAdd(probe.Plugins(p.process)...), Peers: &w.peers,
	}))
	if err != nil {
		w.t.Fatal(err)
	}
	p.rt = rt
	w.peers.set(p.name+":8083", rt.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	p.cancel, p.ended = cancel, ended
	over := make(chan struct{})
	w.runs = append(w.runs, over)
	go func() { defer close(over); ended <- rt.Run(ctx) }()
	w.until("the worker answers", 30*time.Second, 10*time.Millisecond, func() bool {
		return w.send(p, http.MethodGet, "/connectors", nil).status == http.StatusOK
	})
}

// leave stops a worker, or kills it.
func (w *playWorld) leave(p *playWorker, kill bool) {
	if p.rt == nil {
		return
	}
	w.peers.set(p.name+":8083", nil)
	if kill {
		p.process.Kill()
		p.cut()
	}
	p.cancel()
	if !kill {
		if err := <-p.ended; err != nil && !w.s.abandons() {
			w.t.Errorf("worker %s: %v", p.name, err)
		}
		p.rt = nil
	}
}

// abandons reports whether the scenario has tasks that do not stop in time.
func (s *playScenario) abandons() bool {
	return slices.ContainsFunc(s.Steps, func(p playStep) bool {
		return p.Worker != nil && p.Worker.Props["task.shutdown.graceful.timeout.ms"] != ""
	})
}

// end stops everything.
func (w *playWorld) end() {
	w.trace.Close()
	for _, name := range w.order {
		p := w.workers[name]
		if p.rt != nil {
			p.cancel()
		}
	}
	for _, run := range w.runs {
		<-run
	}
	w.client.Close()
}

// playPeers carries requests between workers. It is safe for concurrent use.
type playPeers struct {
	mu       sync.Mutex
	handlers map[string]http.Handler
}

func (p *playPeers) set(host string, h http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handlers == nil {
		p.handlers = make(map[string]http.Handler)
	}
	p.handlers[host] = h
}

// RoundTrip implements [http.RoundTripper].
func (p *playPeers) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	h := p.handlers[r.URL.Host]
	p.mu.Unlock()
	if h == nil {
		return nil, errors.New("connection refused")
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// playReply is the answer to a request.
type playReply struct {
	status int
	body   any // of JSON, or nil
	raw    string
}

func (w *playWorld) send(p *playWorker, method, path string, body []byte) *playReply {
	req := httptest.NewRequest(method, "http://"+p.name+":8083"+path, bytes.NewReader(body))
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	p.rt.Handler().ServeHTTP(rec, req)
	r := &playReply{status: rec.Code, raw: rec.Body.String()}
	d := json.NewDecoder(rec.Body)
	d.UseNumber()
	if err := d.Decode(&r.body); err != nil {
		r.body = nil
	}
	return r
}

func (w *playWorld) worker(name string) *playWorker {
	if name == "" {
		for _, name := range w.order {
			if p := w.workers[name]; p.rt != nil {
				return p
			}
		}
	}
	return w.workers[name]
}

// step plays one step.
func (w *playWorld) step(i int, s *playStep) {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			w.t.Errorf("step %d: %v", i, err)
		}
	}
	switch {
	case s.REST != nil:
		w.request(i, s)
	case s.CreateTopic != nil:
		configs := make(map[string]*string)
		for k, v := range s.CreateTopic.Config {
			configs[k] = &v
		}
		w.create(ctx, check, s.CreateTopic.Name, max(1, s.CreateTopic.Partitions), configs)
	case s.DeleteTopic != nil:
		w.delete(ctx, check, *s.DeleteTopic)
	case s.AddPartitions != nil:
		resp, err := w.admin.UpdatePartitions(ctx, s.AddPartitions.To, s.AddPartitions.Name)
		check(errors.Join(err, resp.Error()))
	case s.DeleteRecords != nil:
		w.deleteRecords(ctx, check, s)
	case s.Produce != nil:
		w.produce(ctx, check, s)
	case s.Gate != nil:
		w.trace.Open(*s.Gate)
	case s.Sleep != nil:
		<-time.After(time.Duration(*s.Sleep) * time.Millisecond)
	case s.Mark != nil:
		w.mark(*s.Mark)
	case s.Worker != nil:
		w.operate(s)
	case s.Wait != nil:
		w.wait(i, s)
	default:
		w.t.Errorf("step %d is none that the runner knows", i)
	}
}

// create creates a topic, again while one of that name is being deleted.
func (w *playWorld) create(ctx context.Context, check func(error), name string, partitions int32, configs map[string]*string) {
	for range 100 {
		_, err := w.admin.CreateTopic(ctx, partitions, 1, configs, name)
		if !errors.Is(err, kerr.TopicAlreadyExists) {
			check(err)
			return
		}
		<-time.After(50 * time.Millisecond)
	}
	check(fmt.Errorf("topic %s is still there", name))
}

// delete deletes a topic. The controller says that it is done before the broker, of which there is one, has closed the log, which takes
// records until then.
func (w *playWorld) delete(ctx context.Context, check func(error), name string) {
	resp, err := w.admin.DeleteTopics(ctx, name)
	check(errors.Join(err, resp.Error()))
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	topic, partition := kmsg.NewOffsetForLeaderEpochRequestTopic(), kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	topic.Topic, topic.Partitions = name, append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	w.until("topic "+name+" is gone", 30*time.Second, 20*time.Millisecond, func() bool {
		resp, err := req.RequestWith(ctx, w.client.SeedBrokers()[0])
		return err == nil && len(resp.Topics) == 1 && resp.Topics[0].Partitions[0].ErrorCode != 0
	})
}

func (w *playWorld) deleteRecords(ctx context.Context, check func(error), s *playStep) {
	raw := s.DeleteRecords
	dash := strings.LastIndexByte(raw.Partition, '-')
	var n int32
	if _, err := fmt.Sscan(raw.Partition[dash+1:], &n); err != nil {
		check(err)
		return
	}
	o := make(kadm.Offsets)
	o.AddOffset(raw.Partition[:dash], n, raw.Before, -1)
	resp, err := w.admin.DeleteRecords(ctx, o)
	check(errors.Join(err, resp.Error()))
}

func (w *playWorld) produce(ctx context.Context, check func(error), s *playStep) {
	var records []*kgo.Record
	for _, r := range s.Produce.Records {
		rec := &kgo.Record{Topic: s.Produce.Topic, Partition: r.Partition, Key: playBytes(w.t, r.Key), Value: playBytes(w.t, r.Value)}
		if r.Timestamp != nil {
			rec.Timestamp = time.UnixMilli(*r.Timestamp)
		}
		for _, h := range r.Headers {
			rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: fmt.Sprint(h[0]), Value: playBytes(w.t, h[1])})
		}
		records = append(records, rec)
	}
	// A producer of its own: its first batches hold all.
	opts := append(w.link().opts, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(20*time.Millisecond), kgo.ProducerBatchMaxBytes(8<<20))
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		check(err)
		return
	}
	defer cl.Close()
	check(cl.ProduceSync(ctx, records...).FirstErr())
}

// playBytes returns the bytes of a key, value or header: text, null, {"b64":…} or {"size":n}.
func playBytes(t *testing.T, v any) []byte {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	case map[string]any:
		if b64, ok := v["b64"].(string); ok {
			b, err := base64.StdEncoding.DecodeString(b64)
			if err != nil {
				t.Error(err)
			}
			return b
		}
		if size, ok := v["size"].(json.Number); ok {
			n, err := size.Int64()
			if err != nil {
				t.Error(err)
			}
			return bytes.Repeat([]byte("x"), int(n))
		}
	}
	t.Errorf("%v is no value", v)
	return nil
}

func (w *playWorld) operate(s *playStep) {
	switch s.Worker.Op {
	case "start":
		props := make(map[string]string)
		like := s.Worker.Like
		if like == "" {
			like = "slow"
		}
		for k, v := range likes[like] {
			props[k] = v
		}
		for k, v := range s.Worker.Props {
			props[k] = v
		}
		w.start(s.Worker.Name, w.group, props)
	case "stop", "kill":
		w.leave(w.workers[s.Worker.Name], s.Worker.Op == "kill")
	case "restart":
		p := w.workers[s.Worker.Name]
		w.run(p)
	default:
		w.t.Errorf("the runner knows no operation %q of workers", s.Worker.Op)
	}
}

// request sends a request, again while there is a rebalance.
func (w *playWorld) request(i int, s *playStep) {
	p := w.worker(s.REST.Worker)
	if p == nil || p.rt == nil {
		w.t.Errorf("step %d: no worker runs", i)
		return
	}
	var body []byte
	if len(s.REST.Body) > 0 {
		body = s.REST.Body
	}
	var r *playReply
	for end := time.Now().Add(time.Minute); ; <-time.After(100 * time.Millisecond) {
		r = w.send(p, s.REST.Method, s.REST.Path, body)
		if r.status != http.StatusConflict || time.Now().After(end) || !(strings.Contains(r.raw, "rebalance") || strings.Contains(r.raw, "stale")) {
			break
		}
	}
	w.responses[i] = r
}
