//go:build real

package real

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// dir holds what all tests share; it lives as long as the test binary.
var dir string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "real-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	defer func() {
		if c, err := sharedBroker(); err == nil {
			c.Close()
		}
	}()
	return m.Run()
}

// sharedBroker is the broker of the tests that do it no harm.
var sharedBroker = sync.OnceValues(func() (*kafka.Cluster, error) { return kafka.StartBroker(filepath.Join(dir, "broker")) })

// workerBinary is examples/worker, built once.
var workerBinary = sync.OnceValues(func() (string, error) { return build("worker") })

// build builds a program of examples.
func build(example string) (string, error) {
	path := filepath.Join(dir, example)
	out, err := exec.Command("go", "build", "-o", path, "github.com/gokconnect/connect/examples/"+example).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", example, err, out)
	}
	return path, nil
}

// patience is how long something may take that a test waits for. It is many times what it takes on a machine that does nothing
// else: two tests that mostly wait run at a time, and the machine may be busy with more.
const patience = 4 * time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await waits until done is true.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	if err := kafka.Poll(testContext(t), done); err != nil {
		t.Fatalf("after %v: still waiting for %s", patience, what)
	}
}

// laps returns a function that logs how long something has taken.
func laps(t *testing.T) func(what string) {
	began := time.Now()
	return func(what string) {
		t.Helper()
		t.Logf("%-40s %v", what, time.Since(began).Round(100*time.Millisecond))
		began = time.Now()
	}
}

func broker(t *testing.T) *kafka.Cluster {
	t.Helper()
	c, err := sharedBroker()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func client(t *testing.T, c *kafka.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(100 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// makeTopic makes a topic that is named after the test.
func makeTopic(t *testing.T, c *kafka.Cluster, name string, partitions int32) string {
	t.Helper()
	name = strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) + "-" + name
	createTopic(t, c, name, partitions)
	return name
}

func createTopic(t *testing.T, c *kafka.Cluster, name string, partitions int32) {
	t.Helper()
	adm := kadm.NewClient(client(t, c))
	var last error
	// A topic that was deleted may still be there for a moment.
	if err := kafka.Poll(testContext(t), func() bool {
		_, last = adm.CreateTopic(t.Context(), partitions, -1, nil, name)
		return last == nil
	}); err != nil {
		t.Fatal(last)
	}
}

// properties are what a properties file says.
type properties map[string]string

func (p properties) write(t *testing.T, path string) string {
	t.Helper()
	var b strings.Builder
	for k, v := range p {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// sourceOf configures a connector that reads a file.
func sourceOf(file, topic string) properties {
	return properties{"name": "source", "connector.class": "FileStreamSource", "file": file, "topic": topic, "tasks.max": "1"}
}

// sinkOf configures a connector that writes a file. Each test has a group of its own.
func sinkOf(t *testing.T, topic, file string) properties {
	return properties{"name": "sink-" + t.Name(), "connector.class": "FileStreamSink", "file": file, "topics": topic, "tasks.max": "1"}
}

// newWorker returns a standalone worker that is not running, with its offsets in the file offsets of its folder.
func newWorker(t *testing.T, bootstrap string, worker properties, connectors ...properties) *kafka.Process {
	t.Helper()
	binary, err := workerBinary()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := kafka.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	all := properties{
		"listeners":         fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		"bootstrap.servers": bootstrap, "offset.storage.file.filename": filepath.Join(dir, "offsets"), "offset.flush.interval.ms": "500",
		"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": "org.apache.kafka.connect.storage.StringConverter",
	}
	for k, v := range worker {
		if all[k] = v; v == "" {
			delete(all, k)
		}
	}
	argv := []string{binary, all.write(t, filepath.Join(dir, "worker.properties"))}
	for i, c := range connectors {
		argv = append(argv, c.write(t, filepath.Join(dir, fmt.Sprintf("connector-%d.properties", i+1))))
	}
	p := &kafka.Process{Dir: dir, Argv: argv}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("the worker's log ends with:\n%s", p.Tail())
			keepLog(t, p)
		}
	})
	return p
}

// keepLog keeps the log of a process of a test that failed, in the folder that the environment variable REAL_LOGS names.
func keepLog(t *testing.T, p *kafka.Process) {
	dir := os.Getenv("REAL_LOGS")
	if dir == "" {
		return
	}
	f, err := os.CreateTemp(dir, strings.ReplaceAll(t.Name(), "/", "-")+"-*.log")
	if err == nil {
		_, err = f.WriteString(p.Log())
		err = errors.Join(err, f.Close())
	}
	t.Logf("its whole log is in %s (%v)", f.Name(), err)
}

func start(t *testing.T, p *kafka.Process) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// stop stops a worker as a service manager does, and wants it to end well.
func stop(t *testing.T, p *kafka.Process) {
	t.Helper()
	if !p.Running() {
		t.Fatalf("the worker ended by itself:\n%s", p.Tail())
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if state, err := p.Wait(t.Context()); err != nil || !state.Success() {
		t.Fatalf("the worker ended with %v (%v):\n%s", state, err, p.Tail())
	}
}
