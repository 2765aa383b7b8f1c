package clients

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Pool shares producers that are configured alike, and so connections, metadata and batches: a producer for each task
// costs many times as much. Only producers without a transactional id may be shared. Admin clients are shared likewise.
// The zero value with its fields set is ready for use; it is safe for concurrent use.
//
// What shares a producer must bound what it has in flight itself, must not give the client a context that ends with one
// task (kgo then fails what others have in flight), and must do next to nothing in the promises of records.
type Pool struct {
	// Options is how clients are made beyond their properties.
	Options Options
	// ClientID is the client id of shared clients, in place of the ids of the single tasks; empty keeps that of the first
	// user.
	ClientID string

	mu     sync.Mutex // not held while a client is made or closed
	shared map[string]*shared
}

// shared is a client with its users.
type shared struct {
	ready    chan struct{} // closed when the client was made
	client   *kgo.Client
	sharing  *Sharing
	extra    ProducerExtra
	warnings Warnings
	err      error
	users    int // guarded by Pool.mu
}

// Lease is the use of a shared client.
type Lease struct {
	Client   *kgo.Client
	Sharing  *Sharing
	Extra    ProducerExtra
	Warnings Warnings
	release  func()
}

// Release ends the use of the client, which must have nothing in flight for this user: the last release closes it, and
// returns when its goroutines and connections have ended. Only the first call counts.
func (l *Lease) Release() { l.release() }

// Get returns a producer with the properties, shared with others that have the same effective ones. An error is that of
// [Options].Producer or of franz-go. ctx bounds the wait for another caller that is making the same client.
func (p *Pool) Get(ctx context.Context, props map[string]string) (*Lease, error) {
	if strings.TrimSpace(props["transactional.id"]) != "" {
		return nil, fmt.Errorf("a producer with the transactional id %s can't be shared", props["transactional.id"])
	}
	return p.get(ctx, KindProducer, props)
}

// Admin returns a client for administration with the properties, shared like those of Get. Its Extra is empty.
func (p *Pool) Admin(ctx context.Context, props map[string]string) (*Lease, error) {
	return p.get(ctx, KindAdmin, props)
}

func (p *Pool) get(ctx context.Context, kind Kind, props map[string]string) (*Lease, error) {
	key := Key(kind, props)
	p.mu.Lock()
	s, ok := p.shared[key]
	if !ok {
		s = &shared{ready: make(chan struct{}), sharing: NewSharing()}
		if p.shared == nil {
			p.shared = make(map[string]*shared)
		}
		p.shared[key] = s
	}
	s.users++
	p.mu.Unlock()
	if !ok {
		p.open(s, kind, props)
	}
	select {
	case <-s.ready:
	case <-ctx.Done():
		p.leave(key, s)
		return nil, context.Cause(ctx)
	}
	if s.err != nil {
		p.leave(key, s)
		return nil, s.err
	}
	return &Lease{s.client, s.sharing, s.extra, s.warnings, sync.OnceFunc(func() { p.leave(key, s) })}, nil
}

func (p *Pool) open(s *shared, kind Kind, props map[string]string) {
	defer close(s.ready)
	if p.ClientID != "" && generatedID(props["client.id"]) {
		props = maps.Clone(props)
		props["client.id"] = p.ClientID
	}
	var opts []kgo.Opt
	if kind == KindAdmin {
		opts, s.warnings, s.err = p.Options.Admin(props)
	} else {
		opts, s.extra, s.warnings, s.err = p.Options.Producer(props)
		// Its users bound what they have in flight; a bound for all would let one whose topic is stuck stop the others.
		opts = append(opts, kgo.MaxBufferedRecords(math.MaxInt32), kgo.MaxBufferedBytes(0))
	}
	if s.err == nil {
		s.client, s.err = kgo.NewClient(opts...)
	}
}

// leave takes a user off the client and closes it after the last one.
func (p *Pool) leave(key string, s *shared) {
	p.mu.Lock()
	s.users--
	last := s.users == 0
	if last && p.shared[key] == s {
		delete(p.shared, key)
	}
	p.mu.Unlock()
	if last {
		<-s.ready
		if s.client != nil {
			s.client.Close()
		}
	}
}

// Len returns how many clients are open.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.shared)
}

// Key returns what is the same for properties that make the same client of a kind. Properties without effect do not count, nor
// does a client id that was generated for a task. Secrets can't be read from it.
func Key(kind Kind, props map[string]string) string {
	table := byName()
	var parts []string
	for key, value := range props {
		property, ok := table[key]
		switch {
		case !ok || property.Clients&kind == 0 || property.Ignored:
			continue
		case strings.HasSuffix(key, ".serializer"):
			continue
		case key == "client.id" && generatedID(value):
			continue
		}
		if !property.Secret() {
			value = strings.TrimSpace(value)
		}
		parts = append(parts, fmt.Sprintf("%d:%s=%d:%s", len(key), key, len(value), value))
	}
	slices.Sort(parts)
	parts = append(parts, kind.String())
	sum := sha256.Sum256([]byte(strings.Join(parts, ",")))
	return string(sum[:])
}

// generatedID reports whether a client id is one that Connect gives the producers and admin clients of connectors.
func generatedID(id string) bool {
	for _, prefix := range []string{
		"connector-producer-", "connector-dlq-producer-", "connector-offset-producer-",
		"connector-adminclient-", "connector-dlq-adminclient-", "connector-worker-adminclient-",
	} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}
