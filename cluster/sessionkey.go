package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// keySpec says which keys the worker signs requests to other workers with.
type keySpec struct {
	algorithm string
	bytes     int
	ttl       time.Duration // 0 is for ever
}

// keyLengths are the lengths that Java's generators make by default, in bytes, by the algorithms' names there.
var keyLengths = map[string]int{"HmacMD5": 64, "HmacSHA1": 64, "HmacSHA224": 28, "HmacSHA256": 32, "HmacSHA384": 48, "HmacSHA512": 64}

func newKeySpec(s *workerconfig.Distributed) keySpec {
	spec := keySpec{algorithm: s.KeyAlgorithm, ttl: s.KeyTTL}
	for name, length := range keyLengths {
		if strings.EqualFold(name, s.KeyAlgorithm) {
			spec.algorithm, spec.bytes = name, length
		}
	}
	if s.KeyBits > 0 {
		spec.bytes = (s.KeyBits + 7) / 8
	}
	return spec
}

// due returns how long a key stays good, none that is due now, and why. Heard says that the key came while this instance
// was running; one that was found at the start expires even if keys live for ever, once, as in Kafka Connect.
func (s keySpec) due(key *configstore.SessionKey, heard bool, now time.Time) (left time.Duration, forever bool, why string) {
	switch {
	case key == nil:
		return 0, false, "there is none yet"
	case !strings.EqualFold(key.Algorithm, s.algorithm), len(key.Key) != s.bytes:
		return 0, false, "the last one has another algorithm or length than this worker is configured for"
	case s.ttl == 0 && heard:
		return 0, true, ""
	}
	left = time.UnixMilli(key.Created).Add(s.ttl).Sub(now)
	return max(left, 0), false, "the last one has expired"
}

func (s keySpec) generate(now time.Time) (configstore.SessionKey, error) {
	key := configstore.SessionKey{Key: make([]byte, s.bytes), Algorithm: s.algorithm, Created: now.UnixMilli()}
	_, err := rand.Read(key.Key)
	return key, err
}

// sessionKeys makes the keys that workers sign their requests to one another with, as long as this instance leads a group
// whose protocol has them.
type sessionKeys struct {
	spec  keySpec
	wake  chan struct{} // holds one
	heard atomic.Bool   // a key came while the instance was running
}

func newSessionKeys(s *workerconfig.Distributed) *sessionKeys {
	return &sessionKeys{spec: newKeySpec(s), wake: make(chan struct{}, 1)}
}

// look has it be decided anew whether a key is due: who leads, or the key, has changed.
func (k *sessionKeys) look() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// The waits after a key that could not be written.
const (
	firstKeyDelay = 100 * time.Millisecond
	lastKeyDelay  = 10 * time.Second
)

// distributeKeys writes session keys until ctx ends.
func (rt *Runtime) distributeKeys(ctx context.Context) {
	k, delay := rt.keys, time.Duration(0)
	for {
		var timer <-chan time.Time
		if rt.route.isLeader() {
			// Who led before can't write any more.
			if err := rt.store.Claim(ctx); err != nil && ctx.Err() == nil {
				rt.log.Warn("the right to write what is configured could not be claimed, it will be claimed with the next write", "err", err)
			}
		}
		if rt.route.distributesKeys() {
			left, forever, why := k.spec.due(rt.store.Snapshot().SessionKey, k.heard.Load(), time.Now())
			switch {
			case forever:
			case left > 0:
				timer = time.After(left)
			default:
				err := rt.distributeKey(ctx, why)
				if err == nil {
					delay = 0
					continue
				}
				if ctx.Err() != nil {
					return
				}
				delay = min(max(2*delay, firstKeyDelay), lastKeyDelay)
				rt.log.Warn("the session key could not be written, it will be tried again", "err", err, "wait", delay)
				timer = time.After(delay)
			}
		}
		select {
		case <-k.wake:
		case <-timer:
		case <-ctx.Done():
			return
		}
	}
}

func (rt *Runtime) distributeKey(ctx context.Context, why string) error {
	key, err := rt.keys.spec.generate(time.Now())
	if err != nil {
		return fmt.Errorf("generate a key: %w", err)
	}
	rt.log.Debug("writing a new session key", "algorithm", key.Algorithm, "reason", why)
	if err := rt.writeAsLeader(ctx, func() error { return rt.store.PutSessionKey(ctx, key) }); err != nil {
		_ = rt.store.Refresh(ctx) // somebody else may have written one; the next look tells
		return err
	}
	rt.keys.heard.Store(true) // it was read back
	return nil
}

// writeAsLeader calls write, which writes to the config topic, with the right to do so: only on the leader.
func (rt *Runtime) writeAsLeader(ctx context.Context, write func() error) error {
	if err := rt.store.Claim(ctx); err != nil {
		return err
	}
	return write()
}
