package kafkatest

import (
	"net"
	"os"
	"sync"
	"time"
)

// Freeze holds back all that goes over the link, both ways, until Thaw: connections stay up, and nobody is told. That is
// what others see of a process that does not run, and what a client sees of a network that is silent.
func (l *Link) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen == nil {
		l.frozen = make(chan struct{})
	}
}

// Thaw undoes Freeze. What was held back goes on, unless its connection was closed meanwhile.
func (l *Link) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
}

// thawed returns what is closed when the link is thawed; nil if it is not frozen.
func (l *Link) thawed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frozen
}

// linkConn is a connection over a link.
type linkConn struct {
	net.Conn
	link        *Link
	read, write deadline
	once        sync.Once
	closed      chan struct{}
}

func (c *linkConn) Close() error {
	c.link.mu.Lock()
	delete(c.link.conns, c)
	c.link.mu.Unlock()
	return c.end()
}

// end closes the connection and releases who waits for the link to thaw.
func (c *linkConn) end() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *linkConn) Read(b []byte) (int, error) {
	if err := c.pass(&c.read); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if late := c.pass(&c.read); late != nil { // frozen meanwhile
		return 0, late
	}
	return n, err
}

func (c *linkConn) Write(b []byte) (int, error) {
	if err := c.pass(&c.write); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *linkConn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return c.Conn.SetDeadline(t)
}

func (c *linkConn) SetReadDeadline(t time.Time) error {
	c.read.set(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *linkConn) SetWriteDeadline(t time.Time) error {
	c.write.set(t)
	return c.Conn.SetWriteDeadline(t)
}

// pass waits while the link is frozen.
func (c *linkConn) pass(d *deadline) error {
	for {
		thawed := c.link.thawed()
		if thawed == nil {
			return nil
		}
		at, changed := d.get()
		var expired <-chan time.Time
		var timer *time.Timer
		if !at.IsZero() {
			timer = time.NewTimer(time.Until(at))
			expired = timer.C
		}
		var err error
		select {
		case <-thawed:
		case <-changed:
		case <-expired:
			err = os.ErrDeadlineExceeded
		case <-c.closed:
			err = net.ErrClosed
		}
		if timer != nil {
			timer.Stop()
		}
		if err != nil {
			return err
		}
	}
}

// deadline is one that can be changed while somebody waits for it.
type deadline struct {
	mu      sync.Mutex
	at      time.Time
	changed chan struct{}
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

func (d *deadline) get() (at time.Time, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.at, d.changed
}
