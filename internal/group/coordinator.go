package group

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config is what a [Coordinator] needs. Times that are zero take Kafka Connect's defaults.
type Config struct {
	Group string // group.id
	// Client says how to reach Kafka. A client of its own is made with it: members can't share a connection.
	Client []kgo.Opt

	SessionTimeout    time.Duration // session.timeout.ms: 10 s
	HeartbeatInterval time.Duration // heartbeat.interval.ms: 3 s
	RebalanceTimeout  time.Duration // rebalance.timeout.ms: 60 s
	RetryBackoff      time.Duration // retry.backoff.ms: 100 ms, doubled up to RetryBackoffMax
	RetryBackoffMax   time.Duration // retry.backoff.max.ms: 1 s

	// Progress returns when the instance was last seen to work, to notice one that hangs: after RebalanceTimeout the
	// instance leaves, so that others get its work. It is called on every heartbeat. Nil, or a zero time, is not watched;
	// calls of the [Member]'s methods always are.
	Progress func() time.Time

	Logger *slog.Logger // nil drops what is logged
}

// Coordinator is membership in a group through Kafka's group coordinator.
type Coordinator struct {
	cfg Config

	mu     sync.Mutex
	rejoin *string // the reason, if another round is asked for
	leave  *string // the reason, if leaving is asked for
	wake   chan struct{}
	hurry  time.Time     // until when heartbeats are to be frequent
	beat   chan struct{} // says that they are to be now; holds one
}

// NewCoordinator returns a Coordinator. It connects to nothing yet.
func NewCoordinator(cfg Config) (*Coordinator, error) {
	if cfg.Group == "" {
		return nil, errors.New("group.id is missing")
	}
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&cfg.SessionTimeout, 10 * time.Second}, {&cfg.HeartbeatInterval, 3 * time.Second}, {&cfg.RebalanceTimeout, time.Minute},
		{&cfg.RetryBackoff, 100 * time.Millisecond}, {&cfg.RetryBackoffMax, time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	if cfg.HeartbeatInterval >= cfg.SessionTimeout {
		return nil, fmt.Errorf("heartbeat.interval.ms (%d) has to be less than session.timeout.ms (%d)", cfg.HeartbeatInterval.Milliseconds(), cfg.SessionTimeout.Milliseconds())
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Coordinator{cfg: cfg, wake: make(chan struct{}, 1), beat: make(chan struct{}, 1)}, nil
}

// Rejoin asks for another round. It returns at once, and is safe for concurrent use. A request while a round is under
// way, whose metadata has been sent, leads to one more.
func (c *Coordinator) Rejoin(reason string) {
	c.mu.Lock()
	c.rejoin = &reason
	c.mu.Unlock()
	c.signal()
}

// Leave leaves the group until Rejoin is called. The instance keeps what it was assigned, so it calls Leave only if it
// comes back soon or gives its work up itself. It returns at once, and is safe for concurrent use.
func (c *Coordinator) Leave(reason string) {
	c.mu.Lock()
	c.leave, c.rejoin = &reason, nil
	c.mu.Unlock()
	c.signal()
}

// hurriedHeartbeat is the time between heartbeats of a member that expects a round.
const hurriedHeartbeat = 100 * time.Millisecond

// Hurry makes heartbeats frequent for the time between two of them: another member is about to begin a round, and this one
// is to hear of it sooner than by its next heartbeat. It returns at once, and is safe for concurrent use.
func (c *Coordinator) Hurry() {
	c.mu.Lock()
	c.hurry = time.Now().Add(c.cfg.HeartbeatInterval)
	c.mu.Unlock()
	select {
	case c.beat <- struct{}{}:
	default:
	}
}

// pace returns the time until the next heartbeat.
func (c *Coordinator) pace() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.hurry) {
		return min(hurriedHeartbeat, c.cfg.HeartbeatInterval)
	}
	return c.cfg.HeartbeatInterval
}

func (c *Coordinator) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run is a member of the group until ctx ends, and leaves it then. It calls m, never two methods at once. It returns nil
// when ctx ended, or the error that makes membership impossible: the group is not one of Connect, the member is not
// allowed in, or m can't assign or take an assignment. An unreachable coordinator is tried again for ever.
func (c *Coordinator) Run(ctx context.Context, m Member) error {
	opts := append([]kgo.Opt{}, c.cfg.Client...)
	opts = append(opts,
		// A connection that does not answer within a heartbeat is given up; retries are ours, because metadata has to be
		// new for each request.
		kgo.RequestTimeoutOverhead(max(c.cfg.HeartbeatInterval, time.Second)),
		kgo.RetryTimeoutFn(func(int16) time.Duration { return time.Nanosecond }),
	)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("client of group %s: %w", c.cfg.Group, err)
	}
	r := &run{c: c, cfg: &c.cfg, m: m, cl: cl, log: c.cfg.Logger.With("group", c.cfg.Group), generation: -1, contact: time.Now(), needed: true}
	defer r.requests.Wait()
	defer cl.Close()
	beating, stop := context.WithCancel(ctx)
	var heartbeats sync.WaitGroup
	heartbeats.Go(func() { r.beat(beating) })
	err = r.loop(ctx)
	stop()
	heartbeats.Wait()
	r.leave("the worker is being closed")
	return err
}
