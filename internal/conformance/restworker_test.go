//go:build real

package conformance_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/test/kafka"
)

// TestRESTWorker plays every scenario of TestREST against examples/worker as a process of its own, on a real broker.
func TestRESTWorker(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "worker")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/gokconnect/connect/examples/worker").CombinedOutput(); err != nil {
		t.Fatalf("build the worker: %v\n%s", err, out)
	}
	broker, err := kafka.StartBroker(filepath.Join(dir, "broker"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	byProfile := make(map[string][]*members)
	for _, name := range conformance.Files(t, "rest/scenarios/*/*.json") {
		s := readScenario(t, name)
		for _, profile := range s.texts("profiles") {
			byProfile[profile] = append(byProfile[profile], s)
		}
	}
	for _, name := range conformance.Files(t, "rest/profiles/*.properties") {
		profile := strings.TrimSuffix(filepath.Base(name), ".properties")
		t.Run(profile, func(t *testing.T) {
			c := broker
			if harm := harms[profile]; harm.cluster != nil {
				if c, err = harm.cluster(filepath.Join(t.TempDir(), "kafka")); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c.Close)
			}
			w := startProcess(t, binary, c.Bootstrap(), profile, name)
			if harm := harms[profile]; harm.after != nil {
				harm.after(c)
			}
			for _, s := range byProfile[profile] {
				t.Run(s.text("id"), func(t *testing.T) {
					p := &player{expected{values: w.values()}, w.addr, w.admin}
					p.play(t, s)
				})
			}
		})
	}
}

// harms are the clusters of the profiles that need one with a fault, and what happens to it once the worker is ready.
var harms = map[string]struct {
	cluster func(dir string) (*kafka.Cluster, error)
	after   func(*kafka.Cluster)
}{
	// Without a majority of controllers no topic can be created.
	"health-starting": {cluster: func(dir string) (*kafka.Cluster, error) {
		c, err := kafka.StartCluster(dir, 2)
		if err == nil {
			c.Brokers[1].Kill()
		}
		return c, err
	}},
	// The topic of groups' offsets can't have three replicas.
	"health-no-coordinator": {cluster: func(dir string) (*kafka.Cluster, error) {
		return kafka.StartBroker(dir, "offsets.topic.replication.factor=3")
	}},
	"health-unhealthy": {
		cluster: func(dir string) (*kafka.Cluster, error) { return kafka.StartBroker(dir) },
		after:   func(c *kafka.Cluster) { c.Close() },
	},
}

func startProcess(t *testing.T, binary, bootstrap, profile, properties string) *restWorker {
	ports, err := kafka.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	w := &restWorker{addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), admin: fmt.Sprintf("127.0.0.1:%d", ports[1]), dir: t.TempDir(), bootstrap: bootstrap}
	text, err := os.ReadFile(properties)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(w.addr)
	_, adminPort, _ := net.SplitHostPort(w.admin)
	filled := strings.NewReplacer("<port>", port, "<admin-port>", adminPort, "<bootstrap>", bootstrap, "<dir>", w.dir).Replace(string(text))
	state := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(state, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	argv := []string{binary, "-strict", write("worker.properties", filled)}
	if strings.Contains(filled, "BasicAuthSecurityRestExtension") {
		users := write("users.properties", "alice=secret\nbob=p%3A:w\n")
		jaas := write("jaas.conf", fmt.Sprintf("KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file=%q; };\n", users))
		t.Setenv("KAFKA_OPTS", "-Djava.security.auth.login.config="+jaas)
	}
	p := &player{expected{values: nil}, w.addr, w.admin}
	path := "/"
	if harm := harms[profile]; harm.cluster != nil && harm.after == nil {
		path = "/none" // it will never be ready
	}
	process := &kafka.Process{Dir: state, Argv: argv, Ready: func(context.Context) error {
		r, err := p.send(&members{[]string{"method", "path"}, []any{"GET", path}}, "")
		if err == nil && r.status/100 > 4 {
			err = fmt.Errorf("it is not ready: %v", r)
		}
		return err
	}}
	t.Cleanup(func() {
		process.Kill()
		if t.Failed() {
			t.Logf("the worker's log ends with:\n%s", process.Tail())
		}
	})
	began := time.Now()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Logf("ready after %v", time.Since(began).Round(time.Millisecond))
	return w
}
