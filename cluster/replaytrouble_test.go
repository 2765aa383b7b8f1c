package cluster_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// turning is a provider whose value changes.
type turning struct{ value atomic.Value }

func (p *turning) Get(_ context.Context, _ string, keys []string) (connect.ConfigData, error) {
	data := connect.ConfigData{Values: make(map[string]string)}
	for _, key := range keys {
		data.Values[key] = p.value.Load().(string)
	}
	return data, nil
}

// forgetful is a sink that can't make durable what it was given, if it is to.
type forgetful struct {
	connect.SinkTask
	broken atomic.Bool
}

func (f *forgetful) Flush(context.Context, connect.SinkOffsets) error {
	if f.broken.Load() {
		return errors.New("disk full")
	}
	return nil
}

// forgets makes tasks of a function that are forgetful.
type forgets struct {
	connect.SinkConnector
	task *forgetful
}

func (c *forgets) NewTask() connect.SinkTask {
	return &struct {
		connect.SinkTask
		connect.Flusher
	}{c.SinkConnector.NewTask(), c.task}
}

// TestReplayInTrouble: what is not done is said, and not with secrets.
func TestReplayInTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		k.MustCreateTopic("dead", 1)
		k.Produce(&kgo.Record{Topic: "lines", Value: []byte("bad")})
		p, provider, task := &picky{refuse: map[string]error{"bad": connect.DataErrorf("one")}}, new(turning), new(forgetful)
		provider.value.Store("true")
		rt, stop := start(t, k, cluster.Config{Providers: map[string]connect.ConfigProvider{"vault": provider}})
		time.Sleep(time.Minute) // placeholders of what is declared earlier have no values when it is checked
		if err := rt.Add(
			cluster.Sink{Name: "out", Connector: &forgets{connect.SinkFunc(p.put), task}, Topics: []string{"lines"}, DeadLetters: "dead",
				Config: connect.Config{"errors.deadletterqueue.context.headers.enable": "${vault:db:headers}"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		p.set(nil)

		task.broken.Store(true)
		r, err := rt.ReplayDeadLetters(t.Context(), "out", cluster.ReplayOptions{Max: 1})
		if err == nil || !strings.Contains(err.Error(), "could not keep 1 of the letters") || r.Replayed != 0 {
			t.Errorf("without a flush: %+v, %v", r, err)
		}
		task.broken.Store(false)

		p.set(map[string]error{"bad": connect.Retriable(errors.New("down"))})
		r, err = rt.ReplayDeadLetters(t.Context(), "out", cluster.ReplayOptions{Within: time.Minute})
		if err == nil || !strings.Contains(err.Error(), "down") || !r.More || r.Replayed != 0 {
			t.Errorf("while the target is down: %+v, %v", r, err)
		}
		p.set(nil)

		k.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			k.KeepControl()
			return nil, errors.New("cut"), true
		})
		began := time.Now()
		r, err = rt.ReplayDeadLetters(t.Context(), "out", cluster.ReplayOptions{DryRun: true, Within: 20 * time.Second})
		if took := time.Since(began); err != nil || !r.More || r.Replayed != 0 || took > time.Minute {
			t.Errorf("a dry run without records: %+v, %v after %v", r, err, took)
		}

		provider.value.Store("s3cret-pw")
		if _, err = rt.ReplayDeadLetters(t.Context(), "out", cluster.ReplayOptions{DryRun: true}); err == nil || strings.Contains(err.Error(), "s3cret") ||
			!strings.Contains(err.Error(), "${vault:db:headers}") {
			t.Errorf("with a value that is wrong now: %v", err)
		}
		stop()
	})
}

// TestReplayOfNewTopic: the letters of a topic that was made a moment ago are found, also where it was known not to exist.
func TestReplayOfNewTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.New(t)
		k.MustCreateTopic("lines", 1)
		p := &picky{refuse: map[string]error{"bad": connect.DataErrorf("one")}}
		rt, stop := start(t, k, cluster.Config{}, cluster.Sink{Name: "out", Connector: connect.SinkFunc(p.put), Topics: []string{"lines"}, DeadLetters: "dead",
			Config: connect.Config{"errors.deadletterqueue.topic.replication.factor": "1"}})
		time.Sleep(time.Minute)
		if err := k.DeleteTopic("dead"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantText(t, "no topic", replay(t, rt, cluster.ReplayOptions{}), "replayed 0, failed 0, passed over 0, foreign 0, unplaced 0, more false")
		k.MustCreateTopic("dead", 1)
		k.Produce(&kgo.Record{Topic: "lines", Value: []byte("bad")})
		time.Sleep(20 * time.Millisecond)
		wantText(t, "a new topic", replay(t, rt, cluster.ReplayOptions{DryRun: true}), "replayed 1, failed 0, passed over 0, foreign 0, unplaced 0, more false")
		stop()
	})
}
