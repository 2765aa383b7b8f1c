//go:build real

package conformance_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/test/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// realAtOnce is how many scenarios are played at the same time: most of their time they wait.
const realAtOnce = 12

// TestRuntimeReal plays the scenarios of TestRuntime against a real broker, in real time, each with workers and a group of its own.
func TestRuntimeReal(t *testing.T) {
	// The scenarios' records are from 2020: the broker must not clear them away.
	broker, err := kafka.StartBroker(filepath.Join(t.TempDir(), "broker"), "auto.create.topics.enable=false", "log.retention.ms=-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	places := make(chan struct{}, realAtOnce)
	var running sync.WaitGroup
	for _, file := range conformance.Files(t, "runtime/*.json") {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			id := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".gz"), ".json")
			t.Run(strings.TrimPrefix(id, "runtime."), func(t *testing.T) {
				if reason := notYet(id); reason != "" && os.Getenv("RUNTIME_ALL") == "" {
					t.Skip(reason)
				}
				playReal(t, broker, readPlay(t, file))
			})
		})
	}
	running.Wait()
}

// pool is held by a scenario that names its workers' group, which others are not in.
var pool sync.Mutex

func playReal(t *testing.T, broker *kafka.Cluster, s *playScenario) {
	group := s.ID
	named := func(step playStep) bool {
		return step.REST != nil && strings.Contains(strings.ReplaceAll(string(step.REST.Body), " ", ""), `:"`+s.Worker+`"`)
	}
	if s.Worker != "" && slices.ContainsFunc(s.Steps, named) {
		pool.Lock()
		defer pool.Unlock()
		group = s.Worker
	}
	w := newWorld(t, s, group, broker.Addrs(), func() playLink {
		l := &realLink{conns: make(map[net.Conn]struct{})}
		return playLink{[]kgo.Opt{kgo.SeedBrokers(broker.Addrs()...), kgo.Dialer(l.dial), kgo.DisableClientMetrics()}, l.cut}
	})
	w.patience, w.pace = 3, 150*time.Millisecond
	if s.Worker != "" {
		w.start("w1", w.group, s.Properties)
	}
	playAll(t, w, s)
}

// realLink is a worker's way to the broker, until it is cut. It is safe for concurrent use.
type realLink struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	over  bool
}

func (l *realLink) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return nil, errors.Join(errors.New("the worker was killed"), conn.Close())
	}
	l.conns[conn] = struct{}{}
	return &realConn{conn, l}, nil
}

func (l *realLink) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for conn := range l.conns {
		conn.Close()
	}
}

type realConn struct {
	net.Conn
	link *realLink
}

// Close implements [net.Conn].
func (c *realConn) Close() error {
	c.link.mu.Lock()
	delete(c.link.conns, c.Conn)
	c.link.mu.Unlock()
	return c.Conn.Close()
}
