package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// picky is a sink that refuses some records, and writes down what it took, with its place.
type picky struct {
	mu     sync.Mutex
	refuse map[string]error
	lines  []string
}

func (p *picky) put(_ context.Context, records []connect.SinkRecord) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	failed := new(connect.BatchError)
	for i, r := range records {
		if err := p.refuse[fmt.Sprint(r.Value)]; err != nil {
			failed.Fail(i, err)
			continue
		}
		line := fmt.Sprintf("%s-%s %v", r.Topic, r.Partition, r.Value)
		for _, h := range r.Headers {
			line += fmt.Sprintf(" %s=%v", h.Key, h.Value)
		}
		if r.Origin.Topic != r.Topic {
			line += " from " + r.Origin.Topic
		}
		p.lines = append(p.lines, line)
	}
	return failed.ErrorOrNil()
}

func (p *picky) set(refuse map[string]error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// took returns what was put since the last time, sorted.
func (p *picky) took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.lines
	p.lines = nil
	slices.Sort(lines)
	return lines
}

// inReplayWorld runs a sink whose records bad… were refused, for errors of two classes.
func inReplayWorld(t *testing.T, cfg connect.Config, f func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky)) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 2)
		k.MustCreateTopic("dead", 1)
		for i, text := range []string{"bad1", "good", "bad2", "bad3", "bad4"} {
			k.Produce(&kgo.Record{Topic: "lines", Partition: 0, Value: []byte(text), Timestamp: time.UnixMilli(int64(1000 * i)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("x")}}})
		}
		p := &picky{refuse: map[string]error{"bad1": connect.DataErrorf("one"), "bad2": errors.New("other"), "bad3": connect.DataErrorf("three"), "bad4": errors.New("four")}}
		all := connect.Config{"errors.deadletterqueue.context.headers.enable": "true"}
		for key, v := range cfg {
			all[key] = v
		}
		rt, stop := start(t, k, cluster.Config{}, cluster.Sink{Name: "out", Connector: connect.SinkFunc(p.put), Topics: []string{"lines"}, DeadLetters: "dead", Config: all})
		time.Sleep(2 * time.Minute)
		if got := p.took(); !slices.Equal(got, []string{"lines-0 good h=x"}) {
			t.Errorf("took %q", got)
		}
		f(t, k, rt, p)
		stop()
	})
}

func replay(t *testing.T, rt *cluster.Runtime, o cluster.ReplayOptions) string {
	t.Helper()
	r, err := rt.ReplayDeadLetters(t.Context(), "out", o)
	if err != nil {
		t.Errorf("replay: %v", err)
	}
	return fmt.Sprintf("replayed %d, failed %d, passed over %d, foreign %d, unplaced %d, more %v", r.Replayed, r.FailedAgain, r.PassedOver, r.Foreign, r.Unplaced, r.More)
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// TestReplayDeadLetters: letters are put as the records that they were, once, whatever was left out before; what fails again
// is a new letter.
func TestReplayDeadLetters(t *testing.T) {
	inReplayWorld(t, nil, func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky) {
		k.Produce(&kgo.Record{Topic: "dead", Value: []byte("another's"), Headers: []kgo.RecordHeader{{Key: "__connect.errors.topic", Value: []byte("t")},
			{Key: "__connect.errors.partition", Value: []byte("0")}, {Key: "__connect.errors.offset", Value: []byte("0")}, {Key: "__connect.errors.connector.name", Value: []byte("another")}}})
		const data = "org.apache.kafka.connect.errors.DataException"
		dry, err := rt.ReplayDeadLetters(t.Context(), "out", cluster.ReplayOptions{DryRun: true})
		if err != nil || dry.Replayed != 4 || dry.Classes[data] != 2 || dry.Foreign != 1 || len(p.took()) != 0 {
			t.Errorf("dry run: %+v, %v", dry, err)
		}
		p.set(map[string]error{"bad4": connect.DataErrorf("still")})
		wantText(t, "one class", replay(t, rt, cluster.ReplayOptions{Classes: []string{data}}), "replayed 2, failed 0, passed over 2, foreign 1, unplaced 0, more false")
		want := []string{"lines-0 bad1 h=x __connect.replays=1 from dead", "lines-0 bad3 h=x __connect.replays=1 from dead"}
		if got := p.took(); !slices.Equal(got, want) {
			t.Errorf("took %q, want %q", got, want)
		}
		wantText(t, "the first of the rest", replay(t, rt, cluster.ReplayOptions{Max: 1}), "replayed 1, failed 0, passed over 1, foreign 0, unplaced 0, more true")
		wantText(t, "the rest", replay(t, rt, cluster.ReplayOptions{}), "replayed 1, failed 1, passed over 0, foreign 0, unplaced 0, more false")
		want = []string{"lines-0 bad2 h=x __connect.replays=1 from dead"}
		if got := p.took(); !slices.Equal(got, want) {
			t.Errorf("took %q, want %q", got, want)
		}
		p.set(nil)
		wantText(t, "what failed again", replay(t, rt, cluster.ReplayOptions{}), "replayed 1, failed 0, passed over 0, foreign 0, unplaced 0, more false")
		want = []string{"lines-0 bad4 h=x __connect.replays=2 from dead"}
		if got := p.took(); !slices.Equal(got, want) {
			t.Errorf("took %q, want %q", got, want)
		}
		wantText(t, "nothing is left", replay(t, rt, cluster.ReplayOptions{}), "replayed 0, failed 0, passed over 0, foreign 0, unplaced 0, more false")
		if got := k.Texts("lines"); len(got) != 5 {
			t.Errorf("the topic has %q", got)
		}
	})
}

// TestReplayByTime: From and To bound the time of the record.
func TestReplayByTime(t *testing.T) {
	inReplayWorld(t, nil, func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky) {
		p.set(nil)
		o := cluster.ReplayOptions{From: time.UnixMilli(2000), To: time.UnixMilli(3000)}
		wantText(t, "a second", replay(t, rt, o), "replayed 1, failed 0, passed over 3, foreign 0, unplaced 0, more false")
		if got := p.took(); len(got) != 1 || !strings.Contains(got[0], "bad2") {
			t.Errorf("took %q", got)
		}
	})
}

// TestReplayThatFails: a Put that fails ends the call, and the next one goes on before it.
func TestReplayThatFails(t *testing.T) {
	inReplayWorld(t, nil, func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky) {
		p.set(map[string]error{"bad3": connect.Retriable(errors.New("down"))})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := rt.ReplayDeadLetters(ctx, "out", cluster.ReplayOptions{})
		if !errors.Is(err, context.DeadlineExceeded) || !r.More || r.Replayed != 0 {
			t.Errorf("replay: %+v, %v", r, err)
		}
		p.set(nil)
		p.took()
		wantText(t, "again", replay(t, rt, cluster.ReplayOptions{}), "replayed 4, failed 0, passed over 0, foreign 0, unplaced 0, more false")
		if got := p.took(); len(got) != 4 {
			t.Errorf("took %q", got)
		}
	})
}

// TestReplayWithoutPlaces: letters without context headers are those of the connector's only topic.
func TestReplayWithoutPlaces(t *testing.T) {
	inReplayWorld(t, connect.Config{"errors.deadletterqueue.context.headers.enable": "false"}, func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky) {
		p.set(nil)
		wantText(t, "replay", replay(t, rt, cluster.ReplayOptions{}), "replayed 4, failed 0, passed over 0, foreign 0, unplaced 0, more false")
		if got := p.took(); len(got) != 4 || got[0] != "lines-0 bad1 h=x __connect.replays=1 from dead" {
			t.Errorf("took %q", got)
		}
	})
}

// TestReplayIsRefused: what can't be replayed is said.
func TestReplayIsRefused(t *testing.T) {
	inReplayWorld(t, nil, func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky) {
		if err := rt.Add(cluster.Source{Name: "in", Connector: shards(1, 1), Topic: "in", DeadLetters: "dead-in", Config: connect.Config{"errors.deadletterqueue.topic.replication.factor": "1"}},
			cluster.Sink{Name: "plain", Connector: connect.SinkFunc(p.put), Topics: []string{"lines"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for name, want := range map[string]string{"none": "not found", "in": "it is a source", "plain": "has no errors.deadletterqueue.topic.name"} {
			if _, err := rt.ReplayDeadLetters(t.Context(), name, cluster.ReplayOptions{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := rt.Pause(t.Context(), "out"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := rt.ReplayDeadLetters(t.Context(), "out", cluster.ReplayOptions{}); !errors.Is(err, connect.ErrIllegalState) {
			t.Errorf("paused: %v", err)
		}
	})
}

// TestReplayOverREST: the same by requests, which Kafka Connect does not know.
func TestReplayOverREST(t *testing.T) {
	inReplayWorld(t, nil, func(t *testing.T, k *kafkatest.Cluster, rt *cluster.Runtime, p *picky) {
		p.set(nil)
		api := rt.Handler()
		for _, c := range []struct {
			query  string
			status int
			want   string
		}{
			{"?dryRun=true&class=java.lang.Exception", 200, `{"replayed":0,"failed_again":0,"passed_over":4,"foreign":0,"unplaced":0,"classes":{},"more":false}`},
			{"?max=1&from=1970-01-01T00:00:02Z", 200, `{"replayed":1,"failed_again":0,"passed_over":3,"foreign":0,"unplaced":0,"classes":{"org.apache.kafka.connect.errors.ConnectException":1},"more":true}`},
			{"", 200, `{"replayed":3,"failed_again":0,"passed_over":0,"foreign":0,"unplaced":0,`},
			{"?max=0", 400, "Invalid value"}, {"?from=yesterday", 400, "Invalid value"}, {"?dryRun=perhaps", 400, "Invalid value"},
		} {
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequest("POST", "/connectors/out/dead-letters/replay"+c.query, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%s: %d %s", c.query, w.Code, w.Body)
			}
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("POST", "/connectors/none/dead-letters/replay", nil))
		if w.Code != 404 {
			t.Errorf("unknown connector: %d %s", w.Code, w.Body)
		}
	})
	rt, err := cluster.New(cluster.KafkaConnectDefaults(cluster.Config{Brokers: []string{"none:1"}, GroupID: "g"}))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	rt.Handler().ServeHTTP(w, httptest.NewRequest("POST", "/connectors/out/dead-letters/replay", nil))
	if w.Code != 404 {
		t.Errorf("as Kafka Connect: %d %s", w.Code, w.Body)
	}
}
