package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/internal/kafkatest"
	"github.com/gokconnect/connect/plugin/file"
)

// startServing starts a worker of a group that serves requests, and returns its URL.
func startServing(t *testing.T, k *kafkatest.Cluster) string {
	return startServingAs(t, k, "http", nil)
}

// startServingAs is startServing with another protocol and a change of the configuration.
func startServingAs(t *testing.T, k *kafkatest.Cluster, protocol string, change func(*cluster.Config)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := protocol + "://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := cluster.Config{
		Brokers: k.Addrs(), GroupID: "test", Client: k.NewLink().ClientOpts(), Plugins: new(connect.Registry).MustAdd(file.Plugins()...),
		Worker: connect.Config{"listeners": url}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	rt, err := cluster.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- rt.ListenAndServe(ctx) }()
	go func() { ended <- rt.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return url
}

type status struct {
	Connector struct {
		State  string `json:"state"`
		Worker string `json:"worker_id"`
	} `json:"connector"`
	Tasks []struct {
		ID     int    `json:"id"`
		State  string `json:"state"`
		Worker string `json:"worker_id"`
	} `json:"tasks"`
}

// Whichever of two workers is asked, a request gets to the one that has to answer it.
func TestRequestsAreForwarded(t *testing.T) {
	k := kafkatest.New(t, kafkatest.TCP())
	k.MustCreateTopic("lines", 4)
	urls := []string{startServing(t, k), startServing(t, k)}
	ask := func(method, url, body string) (int, string, http.Header) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
			req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != http.StatusConflict {
					return resp.StatusCode, string(b), resp.Header
				}
			}
			if time.Now().After(end) {
				t.Fatalf("%s %s: %v, %v", method, url, resp, err)
			}
		}
	}
	running := func(tasks int) (s status) {
		t.Helper()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
			code, body, _ := ask("GET", urls[0]+"/connectors/out/status", "")
			if code != http.StatusOK {
				continue
			}
			s = status{}
			if err := json.Unmarshal([]byte(body), &s); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, task := range s.Tasks {
				if task.State == "RUNNING" {
					n++
				}
			}
			if s.Connector.State == "RUNNING" && n == tasks {
				return s
			}
		}
		t.Fatalf("it does not run: %+v", s)
		return s
	}
	for _, url := range urls {
		if code, body, _ := ask("GET", url+"/health", ""); code != http.StatusOK {
			t.Fatalf("health of %s: %d %s", url, code, body)
		}
	}
	config := fmt.Sprintf(`{"connector.class":"FileStreamSink","tasks.max":"4","topics":"lines","file":%q}`, filepath.Join(t.TempDir(), "out"))
	for i, url := range urls {
		code, body, header := ask("POST", url+"/connectors", fmt.Sprintf(`{"name":"out","config":%s}`, config))
		if code != http.StatusCreated || header.Get("Location") != url+"/connectors/out" {
			t.Fatalf("create on %d: %d %s, Location %s", i, code, body, header.Get("Location"))
		}
		s := running(4)
		at := make(map[string]int)
		for _, task := range s.Tasks {
			at[task.Worker]++
		}
		if len(at) != 2 {
			t.Errorf("the tasks are not spread: %v", at)
		}
		for _, from := range urls {
			for task := range 4 {
				if code, body, _ := ask("POST", fmt.Sprintf("%s/connectors/out/tasks/%d/restart", from, task), ""); code != http.StatusNoContent {
					t.Errorf("restart of task %d asked of %s: %d %s", task, from, code, body)
				}
			}
			if code, body, _ := ask("POST", from+"/connectors/out/restart", ""); code != http.StatusNoContent {
				t.Errorf("restart asked of %s: %d %s", from, code, body)
			}
			if code, body, _ := ask("POST", from+"/connectors/out/restart?includeTasks=true", ""); code != http.StatusAccepted || !strings.Contains(body, "RESTARTING") {
				t.Errorf("restart of all asked of %s: %d %s", from, code, body)
			}
			running(4)
			if code, body, _ := ask("POST", from+"/connectors/out/tasks/9/restart", ""); code != http.StatusNotFound || !strings.Contains(body, "Unknown task: out-9") {
				t.Errorf("restart of no task asked of %s: %d %s", from, code, body)
			}
		}
		if code, body, _ := ask("DELETE", urls[1-i]+"/connectors/out", ""); code != http.StatusNoContent {
			t.Fatalf("delete: %d %s", code, body)
		}
		for _, url := range urls {
			for end := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
				if code, _, _ := ask("GET", url+"/connectors/out", ""); code == http.StatusNotFound {
					break
				}
				if time.Now().After(end) {
					t.Fatal("it is not deleted")
				}
			}
		}
	}
}
