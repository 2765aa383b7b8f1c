package kafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Cluster is one broker or several, each of them a controller too.
type Cluster struct {
	Brokers []*Broker
}

// Broker is a broker of a [Cluster].
type Broker struct {
	Process
	Addr string
	// Listeners are the addresses of further listeners by name, see [NewCluster].
	Listeners map[string]string
}

// Bootstrap returns the addresses of the brokers, in the form of bootstrap.servers.
func (c *Cluster) Bootstrap() string { return strings.Join(c.Addrs(), ",") }

// Addrs returns the addresses of the brokers.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, b := range c.Brokers {
		addrs = append(addrs, b.Addr)
	}
	return addrs
}

// Close kills the brokers: nobody needs their data any more.
func (c *Cluster) Close() {
	for _, b := range c.Brokers {
		b.Kill()
	}
}

// StartBroker starts a cluster of one broker with its state in dir. Properties, KEY=VALUE, go over those of the server.
func StartBroker(dir string, properties ...string) (*Cluster, error) {
	return StartCluster(dir, 1, properties...)
}

// StartCluster starts n brokers with their state in dir/1, dir/2 and so on. With three brokers or more, topics have three
// replicas, two of which must be in sync.
func StartCluster(dir string, n int, properties ...string) (*Cluster, error) {
	c, err := NewCluster(dir, n, properties...)
	if err != nil {
		return nil, err
	}
	return c, c.Start()
}

// NewCluster returns a cluster that is not running. A property listener.NAME=PROTOCOL opens a further listener, such as
// listener.SECURE=SASL_SSL.
func NewCluster(dir string, n int, properties ...string) (*Cluster, error) {
	var further [][2]string // names and protocols
	properties = slices.DeleteFunc(slices.Clone(properties), func(p string) bool {
		key, protocol, _ := strings.Cut(p, "=")
		name, ok := strings.CutPrefix(key, "listener.")
		if ok = ok && !strings.Contains(name, "."); ok {
			further = append(further, [2]string{name, protocol})
		}
		return ok
	})
	each := 2 + len(further)
	ports, err := FreePorts(each * n)
	if err != nil {
		return nil, err
	}
	var voters []string
	for i := range n {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, ports[each*i+1]))
	}
	replicas, inSync := min(n, 3), 1
	if n > 2 {
		inSync = 2
	}
	var random [16]byte
	rand.Read(random[:]) // never fails
	random[0] &= 0x7F    // so that its text does not begin with a dash, which would look like an option
	id := base64.RawURLEncoding.EncodeToString(random[:])
	c := &Cluster{}
	for i := range n {
		dir, addr := filepath.Join(dir, strconv.Itoa(i+1)), fmt.Sprintf("127.0.0.1:%d", ports[each*i])
		advertised, protocols, listeners := "PLAINTEXT://"+addr, "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT", make(map[string]string)
		for j, l := range further {
			listeners[l[0]] = fmt.Sprintf("127.0.0.1:%d", ports[each*i+2+j])
			advertised += "," + l[0] + "://" + listeners[l[0]]
			protocols += "," + l[0] + ":" + l[1]
		}
		config := []string{
			"process.roles=broker,controller", fmt.Sprintf("node.id=%d", i+1), "controller.quorum.voters=" + strings.Join(voters, ","),
			fmt.Sprintf("listeners=%s,CONTROLLER://127.0.0.1:%d", advertised, ports[each*i+1]), "advertised.listeners=" + advertised,
			"listener.security.protocol.map=" + protocols,
			"controller.listener.names=CONTROLLER", "log.dirs=" + filepath.Join(dir, "data"), "num.partitions=1",
			fmt.Sprintf("default.replication.factor=%d", replicas), fmt.Sprintf("min.insync.replicas=%d", inSync),
			fmt.Sprintf("offsets.topic.replication.factor=%d", replicas), "offsets.topic.num.partitions=5",
			fmt.Sprintf("transaction.state.log.replication.factor=%d", replicas), fmt.Sprintf("transaction.state.log.min.isr=%d", inSync),
			"transaction.state.log.num.partitions=5", "group.initial.rebalance.delay.ms=0",
			// An error is due soon when a broker is gone.
			"broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500",
		}
		if err := writeProperties(filepath.Join(dir, "server.properties"), append(config, properties...)); err != nil {
			return nil, err
		}
		format, err := java(dir, "kafka.tools.StorageTool", "format", "-t", id, "-c", filepath.Join(dir, "server.properties"))
		if err != nil {
			return nil, err
		}
		if out, err := exec.Command(format[0], format[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("format the storage of a broker: %w\n%s", err, out)
		}
		argv, err := java(dir, "kafka.Kafka", filepath.Join(dir, "server.properties"))
		if err != nil {
			return nil, err
		}
		c.Brokers = append(c.Brokers, &Broker{Addr: addr, Listeners: listeners, Process: Process{Dir: dir, Argv: argv, Ready: listening(addr)}})
	}
	return c, nil
}

// Start starts the brokers that do not run, all at once, and waits for them.
func (c *Cluster) Start() error {
	errs := make(chan error, len(c.Brokers))
	for _, b := range c.Brokers {
		go func() { errs <- b.Start() }()
	}
	var all []error
	for range c.Brokers {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		c.Close()
		return err
	}
	return nil
}

func listening(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// writeProperties writes a properties file. Values must not need escapes.
func writeProperties(path string, lines []string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}
