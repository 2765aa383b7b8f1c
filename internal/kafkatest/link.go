package kafkatest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Link is the way of some clients to the cluster: of one instance of a service, say. Cutting it is what a broken
// network is to them. It is safe for concurrent use.
type Link struct {
	cluster *Cluster

	mu     sync.Mutex
	cut    bool
	frozen chan struct{} // closed when the link is thawed; nil if it is not frozen
	conns  map[*linkConn]struct{}
}

// errCut is what a network says that is not there: clients try again after a while, which they do not after any error.
var errCut error = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("the link is cut")}

// NewLink returns a link of its own for those clients that are made with its ClientOpts.
func (c *Cluster) NewLink() *Link {
	return &Link{cluster: c, conns: map[*linkConn]struct{}{}}
}

// ClientOpts returns what a client needs to reach the cluster over this link.
func (l *Link) ClientOpts() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(l.cluster.Addrs()...),
		kgo.Dialer(l.DialContext),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}
}

// DialContext connects to a broker unless the link is cut.
func (l *Link) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if l.isCut() {
		return nil, errCut
	}
	if thawed := l.thawed(); thawed != nil {
		select {
		case <-thawed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	conn, err := l.cluster.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	lc := &linkConn{Conn: conn, link: l, closed: make(chan struct{})}
	l.mu.Lock()
	cut := l.cut
	if !cut {
		l.conns[lc] = struct{}{}
	}
	l.mu.Unlock()
	if cut {
		conn.Close()
		return nil, errCut
	}
	return lc, nil
}

// Cut closes the connections of the link and lets none come up until Heal.
func (l *Link) Cut() { l.drop(true) }

// Drop closes the connections of the link. Clients may connect again at once.
func (l *Link) Drop() { l.drop(false) }

// Heal undoes Cut.
func (l *Link) Heal() {
	l.mu.Lock()
	l.cut = false
	l.mu.Unlock()
}

func (l *Link) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *Link) drop(cut bool) {
	l.mu.Lock()
	l.cut = l.cut || cut
	conns := l.conns
	l.conns = map[*linkConn]struct{}{}
	l.mu.Unlock()
	for c := range conns {
		_ = c.end()
	}
}
