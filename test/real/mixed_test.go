//go:build real

package real

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
)

// A cluster of Java workers is stopped and one of ours started on its three topics, and back: connectors, tasks, offsets,
// target states and statuses carry on.
func TestClusterChangesHands(t *testing.T) {
	t.Parallel()
	c, dir, name := broker(t), t.TempDir(), t.Name()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	topic := makeTopic(t, c, "lines", 1)
	seen := watchTopic(t, c, topic)
	source, sink := sourceOf(in, topic), sinkOf(t, topic, out)
	paused, stopped := sourceOf(filepath.Join(dir, "none"), topic), sinkOf(t, topic, filepath.Join(dir, "other"))
	paused["name"], stopped["name"], sink["name"] = "paused", "stopped", "sink"
	stopped["tasks.max"] = "2"
	all := []properties{source, sink, paused, stopped}

	lines := 0
	written := func() {
		appendLines(t, in, lines, lines+1000)
		lines += 1000
		seen.until(t, lines)
		fileUntil(t, out, lines)
	}
	same := func(w *kafka.Connect, sinkTasks int) {
		t.Helper()
		if got, want := names(t, w), []string{"paused", "sink", "source", "stopped"}; !slices.Equal(got, want) {
			t.Fatalf("connectors %v, want %v", got, want)
		}
		for _, p := range all {
			got := configOf(t, w, p["name"])
			if fmt.Sprint(got) != fmt.Sprint(map[string]string(p)) {
				t.Errorf("configuration of %s: %v, want %v", p["name"], got, p)
			}
		}
		awaitState(t, w, "source", "RUNNING", 1, w)
		awaitState(t, w, "sink", "RUNNING", sinkTasks, w)
		awaitState(t, w, "paused", "PAUSED", 1, w)
		awaitState(t, w, "stopped", "STOPPED", 0, w)
	}
	end := func(w *kafka.Connect) {
		t.Helper()
		if err := w.Stop(); err != nil {
			t.Fatal(err)
		}
	}

	w := startMember(t, c, javaWorker, name, nil)
	for _, p := range all {
		request(t, w, http.MethodPut, "/connectors/"+p["name"]+"/config", p)
	}
	awaitState(t, w, "stopped", "RUNNING", 2)
	request(t, w, http.MethodPut, "/connectors/paused/pause", nil)
	request(t, w, http.MethodPut, "/connectors/stopped/stop", nil)
	same(w, 1)
	written()
	end(w)

	w = startMember(t, c, ourWorker, name, nil)
	same(w, 1)
	written()
	sink["tasks.max"] = "3"
	request(t, w, http.MethodPut, "/connectors/sink/config", sink)
	same(w, 3)
	request(t, w, http.MethodPut, "/connectors/stopped/resume", nil)
	awaitState(t, w, "stopped", "RUNNING", 2, w)
	request(t, w, http.MethodPut, "/connectors/stopped/stop", nil)
	request(t, w, http.MethodDelete, "/connectors/stopped/offsets", nil)
	written()
	end(w)

	w = startMember(t, c, javaWorker, name, nil)
	same(w, 3)
	written()
	request(t, w, http.MethodPut, "/connectors/paused/resume", nil)
	awaitState(t, w, "paused", "RUNNING", 1, w)
	request(t, w, http.MethodPut, "/connectors/paused/pause", nil)
	end(w)

	w = startMember(t, c, ourWorker, name, nil)
	same(w, 3)
	written()
	end(w)
	seen.until(t, lines).once(t, "topic", lines)
	fileUntil(t, out, lines).once(t, "file", lines)
}

// Java's workers and ours are members of one group, either as the leader, by each protocol (the older ones differ in what
// members say, not in who leads): work spreads over both, requests go on from each to the other, and each takes over from the
// other that leaves or dies.
func TestMixedGroup(t *testing.T) {
	for _, tt := range []struct{ protocol, leads, follows string }{
		{"sessioned", javaWorker, ourWorker},
		{"sessioned", ourWorker, javaWorker},
		{"compatible", javaWorker, ourWorker},
		{"eager", ourWorker, javaWorker},
	} {
		t.Run(tt.protocol+"/"+tt.leads+" leads", func(t *testing.T) {
			t.Parallel() // most of the time they wait
			mixedGroup(t, tt.protocol, tt.leads, tt.follows)
		})
	}
}

func mixedGroup(t *testing.T, protocol, leads, follows string) {
	c, dir := broker(t), t.TempDir()
	group := strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())
	topic := makeTopic(t, c, "lines", 1)
	seen := watchTopic(t, c, topic)
	worker := properties{"connect.protocol": protocol}
	leader := startMember(t, c, leads, group, worker)
	follower := startMember(t, c, follows, group, worker)
	both := []*kafka.Connect{leader, follower}

	// Created through the follower: requests go to the leader, and task configurations too.
	in := filepath.Join(dir, "in")
	source := sourceOf(in, topic)
	request(t, follower, http.MethodPut, "/connectors/source/config", source)
	var sinks []properties
	for i := range 3 {
		sink := sinkOf(t, topic, filepath.Join(dir, fmt.Sprintf("out-%d", i)))
		sink["name"], sink["tasks.max"] = fmt.Sprintf("sink-%d", i), "2"
		sinks = append(sinks, sink)
		request(t, both[i%2], http.MethodPut, "/connectors/"+sink["name"]+"/config", sink)
	}
	// where waits until all runs on workers of those given, as each of them says, and returns how much each has.
	where := func(tasks int, on ...*kafka.Connect) (counts map[string]int) {
		t.Helper()
		for _, w := range on {
			counts = make(map[string]int)
			states := []state{awaitState(t, w, "source", "RUNNING", 1, on...)}
			for _, s := range sinks {
				states = append(states, awaitState(t, w, s["name"], "RUNNING", tasks, on...))
			}
			for _, s := range states {
				counts[s.Connector.Worker]++
				for _, task := range s.Tasks {
					counts[task.Worker]++
				}
			}
		}
		return counts
	}
	spread := func(tasks int) {
		t.Helper()
		await(t, "the work to be spread", func() bool {
			counts := where(tasks, both...)
			return counts[id(leader)] > 1 && counts[id(follower)] > 1
		})
	}
	lap := laps(t)
	l := newLoad(t, in, 500)
	spread(2)
	lap("spread")
	t.Logf("work by worker: %v", where(2, both...))

	// Requests that their owner, or the leader, has to serve, through each of the workers.
	for _, w := range both {
		for _, name := range []string{"source", "sink-0", "sink-1", "sink-2"} {
			request(t, w, http.MethodPost, "/connectors/"+name+"/restart", nil)
			request(t, w, http.MethodPost, "/connectors/"+name+"/tasks/0/restart", nil)
		}
		request(t, w, http.MethodPost, "/connectors/sink-1/restart?includeTasks=true&onlyFailed=false", nil)
		request(t, w, http.MethodPut, "/connectors/sink-2/pause", nil)
		for _, other := range both {
			awaitState(t, other, "sink-2", "PAUSED", 2, both...)
		}
		request(t, w, http.MethodPut, "/connectors/sink-2/resume", nil)
		where(2, both...)
	}
	lap("restarts, pause and resume")
	// Another number of tasks: whoever has the connector computes them, and the leader writes them.
	for i, w := range both {
		for _, s := range sinks {
			s["tasks.max"] = fmt.Sprint(3 - i)
			request(t, w, http.MethodPut, "/connectors/"+s["name"]+"/config", s)
		}
		where(3-i, both...)
	}
	lap("two changes of three connectors")
	// A signature that is forged.
	if protocol == "sessioned" {
		for _, w := range both {
			forge(t, w)
		}
	}
	request(t, follower, http.MethodPut, "/connectors/sink-0/stop", nil)
	for _, w := range both {
		awaitState(t, w, "sink-0", "STOPPED", 0, both...)
	}
	request(t, follower, http.MethodDelete, "/connectors/sink-0/offsets", nil)
	request(t, leader, http.MethodPut, "/connectors/sink-0/resume", nil)
	spread(2)
	seen.until(t, l.written())

	lap("stop, reset, resume")

	// Each leaves, comes back, and dies. With the older protocols, which differ in what members say and not in who takes over, only
	// the leader does.
	back := func(w *kafka.Connect) {
		t.Helper()
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		spread(2)
	}
	if protocol == "sessioned" {
		if err := follower.Stop(); err != nil {
			t.Fatal(err)
		}
		where(2, leader)
		lap("the follower has left")
		back(follower)
		lap("it is back")
		follower.Kill()
		where(2, leader)
		lap("it was killed")
		back(follower)
		lap("it is back")
	}
	leader.Kill() // the follower leads
	where(2, follower)
	lap("the leader was killed")
	back(leader)
	if err := follower.Stop(); err != nil {
		t.Fatal(err)
	}
	where(2, leader)
	lap("it is back, and the other has left")
	n := l.end(t)
	seen.until(t, n).checked(t, "topic", n)
	for i := range 3 {
		fileUntil(t, filepath.Join(dir, fmt.Sprintf("out-%d", i)), n)
	}
}

// forge sends task configurations that are not signed as they should be.
func forge(t *testing.T, w *kafka.Connect) {
	t.Helper()
	for _, tt := range []struct {
		headers map[string]string
		want    string
	}{
		{nil, "400 Bad Request: {\"error_code\":400,\"message\":\"Internal request missing required signature\"}"},
		{map[string]string{"X-Connect-Authorization": "AAAA", "X-Connect-Request-Signature-Algorithm": "HmacSHA256"},
			"403 Forbidden: {\"error_code\":403,\"message\":\"Internal request contained invalid signature.\"}"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+"/connectors/sink-0/tasks", strings.NewReader("[]"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for k, v := range tt.headers {
			req.Header.Set(k, v)
		}
		if got := answerOf(t, req); got != tt.want {
			t.Errorf("asked of %s with %v: %s, want %s", id(w), tt.headers, got, tt.want)
		}
	}
}
