//go:build real

package real

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect/test/kafka"
)

// The kinds of worker that a cluster can have.
const (
	javaWorker = "java"
	ourWorker  = "ours"
)

// quick are the properties of workers that notice at once what happens to others.
var quick = properties{"scheduled.rebalance.max.delay.ms": "1000", "heartbeat.interval.ms": "500", "session.timeout.ms": "6000", "status.storage.partitions": "1", "offset.storage.partitions": "1"}

// startMember starts a distributed worker of either kind: of the group name, with its internal topics.
func startMember(t *testing.T, c *kafka.Cluster, kind, name string, more properties) *kafka.Connect {
	t.Helper()
	own := maps.Clone(quick)
	maps.Copy(own, more)
	if kind == javaWorker {
		var lines []string
		for k, v := range own {
			lines = append(lines, k+"="+v)
		}
		w, err := kafka.Worker(t.TempDir(), c.Bootstrap(), name, lines...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeMember(t, kind, w) })
		return w
	}
	own["group.id"], own["offset.storage.file.filename"], own["offset.flush.interval.ms"] = name, "", "1000"
	for _, topic := range []string{"offset", "config", "status"} {
		own[topic+".storage.topic"], own[topic+".storage.replication.factor"] = name+"-"+topic+"s", "1"
	}
	ports, err := kafka.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	w := &kafka.Connect{URL: fmt.Sprintf("http://127.0.0.1:%d", ports[0])}
	own["listeners"] = w.URL
	w.Process = *newWorker(t, c.Bootstrap(), own)
	w.Ready = func(ctx context.Context) error {
		_, err := w.Request(ctx, http.MethodGet, "/connectors", nil)
		return err
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeMember(t, kind, w) })
	return w
}

func closeMember(t *testing.T, kind string, w *kafka.Connect) {
	w.Kill()
	if t.Failed() {
		var lines []string
		for line := range strings.Lines(w.Log()) {
			if strings.Contains(line, "ERROR") || strings.Contains(line, "WARN") || strings.HasPrefix(line, "\tat ") || strings.Contains(line, "Exception") || strings.Contains(line, "level=") {
				lines = append(lines, line)
			}
		}
		// What ended a worker by itself stands before what its tasks say of it.
		if _, why, ok := strings.Cut(w.Log(), "Uncaught exception"); ok {
			t.Logf("why a worker (%s, %s) ended: %s", kind, id(w), why[:min(len(why), 4000)])
		}
		t.Logf("what a worker (%s, %s) had to say:\n%s", kind, id(w), strings.Join(lines[max(0, len(lines)-80):], ""))
		keepLog(t, &w.Process)
	}
}

// id is how a worker appears in statuses.
func id(w *kafka.Connect) string { return strings.TrimPrefix(w.URL, "http://") }

// request sends a request until it is not refused because of a rebalance, nor with the advice to try again (a group's offsets
// can be reset only once the last task has left it, which may be after the time that tasks have to stop), and wants it to be
// served.
func request(t *testing.T, w *kafka.Connect, method, path string, body any) []byte {
	t.Helper()
	var answer []byte
	var err error
	await(t, method+" "+path, func() bool {
		answer, err = w.Request(t.Context(), method, path, body)
		return err == nil || !strings.Contains(err.Error(), "409 Conflict") && !strings.Contains(err.Error(), "can be safely retried")
	})
	if err != nil {
		t.Fatalf("asked of %s: %v", id(w), err)
	}
	return answer
}

// state is a status as the API gives it.
type state struct {
	Connector instanceState   `json:"connector"`
	Tasks     []instanceState `json:"tasks"`
}

type instanceState struct {
	State  string `json:"state"`
	Worker string `json:"worker_id"`
	Trace  string `json:"trace"`
}

func (s state) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s@%s %s", s.Connector.State, s.Connector.Worker, s.Connector.Trace)
	for _, t := range s.Tasks {
		fmt.Fprintf(&b, " %s@%s %s", t.State, t.Worker, t.Trace)
	}
	return b.String()
}

// awaitState waits until a worker says that a connector and all its tasks are in a state, on workers of those named, and
// returns where each is.
func awaitState(t *testing.T, w *kafka.Connect, name, want string, tasks int, on ...*kafka.Connect) (s state) {
	t.Helper()
	var ids []string
	for _, o := range on {
		ids = append(ids, id(o))
	}
	right := func(i instanceState) bool { return i.State == want && (ids == nil || slices.Contains(ids, i.Worker)) }
	var last error
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := kafka.Poll(ctx, func() bool {
		answer, err := w.Request(ctx, http.MethodGet, "/connectors/"+name+"/status", nil)
		if last = err; err != nil {
			return false
		}
		s = state{}
		if last = json.Unmarshal(answer, &s); last != nil {
			return false
		}
		return right(s.Connector) && len(s.Tasks) == tasks && !slices.ContainsFunc(s.Tasks, func(i instanceState) bool { return !right(i) })
	})
	if err != nil {
		t.Fatalf("connector %s of %s is not %s with %d tasks on %v, but %v (%v)", name, id(w), want, tasks, ids, s, last)
	}
	return s
}

// configOf returns a connector's configuration.
func configOf(t *testing.T, w *kafka.Connect, name string) (cfg map[string]string) {
	t.Helper()
	if err := json.Unmarshal(request(t, w, http.MethodGet, "/connectors/"+name+"/config", nil), &cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// names returns the connectors that a worker knows, sorted.
func names(t *testing.T, w *kafka.Connect) (all []string) {
	t.Helper()
	if err := json.Unmarshal(request(t, w, http.MethodGet, "/connectors", nil), &all); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// answerOf sends a request and returns the status and the body of the answer.
func answerOf(t *testing.T, req *http.Request) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + ": " + string(body)
}
