package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/rest"
)

// listener is an entry of listeners or admin.listeners.
type listener struct {
	tls  bool
	host string // "" is every interface
	port int
}

var listenerPattern = regexp.MustCompile(`^(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$`)

func parseListener(text string) (listener, error) {
	m := listenerPattern.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return listener{}, connect.ConfigErrorf("listeners", "Listener doesn't have the right format or protocol: %s", text)
	}
	port, err := strconv.Atoi(m[3])
	if err != nil || port < 0 || port > 65535 {
		return listener{}, connect.ConfigErrorf("listeners", "Listener has a port that is none: %s", text)
	}
	l := listener{host: m[2], port: port}
	switch strings.ToLower(m[1]) {
	case "http":
	case "https":
		l.tls = true
	default:
		return listener{}, connect.ConfigErrorf("listeners", "Listener protocol must be one of \"http\" and \"https\": %s", text)
	}
	return l, nil
}

func hostname() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

// listenersTLS is before the keys of the listeners' TLS.
const listenersTLS = "listeners.https."

// Times of the listeners. An answer takes at most as long as the handlers take, so there is none for writing.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 60 * time.Second
	idleTimeout   = 30 * time.Second
	closeTimeout  = 5 * time.Second
)

// ListenAndServe opens the listeners that the worker's configuration names (listeners, by default http://:8083, and
// admin.listeners) and serves [Runtime.Handler] on them until ctx ends. It is for programs that are workers; others serve
// the handler themselves. It returns nil after ctx has ended, and an error at once if a listener can't be opened.
func (rt *Runtime) ListenAndServe(ctx context.Context) error {
	var servers []*http.Server
	var opened []net.Listener
	closeAll := func() {
		for _, l := range opened {
			_ = l.Close() // nothing was accepted yet
		}
	}
	open := func(key, prefix string, texts []string, handler http.Handler) error {
		for _, text := range texts {
			l, err := rt.listen(ctx, key, prefix, text)
			if err != nil {
				return err
			}
			opened = append(opened, l)
			servers = append(servers, &http.Server{
				Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
				MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(rt.log.Handler(), slog.LevelDebug),
			})
			rt.log.Info("REST API listens", "url", text, "address", l.Addr().String())
		}
		return nil
	}
	err := open("listeners", listenersTLS, rt.settings.Listeners, rt.Handler())
	if err == nil {
		if tcp, ok := opened[0].Addr().(*net.TCPAddr); ok {
			rt.bound.Store(&tcp.Port)
			go rt.reachable(ctx)
		}
		err = open("admin.listeners", "admin."+listenersTLS, rt.settings.AdminListeners, rt.AdminHandler())
	}
	if err != nil {
		closeAll()
		return err
	}
	var group sync.WaitGroup
	errs := make([]error, len(servers))
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, s := range servers {
		group.Go(func() {
			if err := s.Serve(opened[i]); !errors.Is(err, http.ErrServerClosed) {
				errs[i] = err
				cancel()
			}
		})
	}
	<-serving.Done()
	ending, done := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer done()
	for _, s := range servers {
		if s.Shutdown(ending) != nil {
			_ = s.Close() // requests that last too long are cut off
		}
	}
	group.Wait()
	return errors.Join(errs...)
}

func (rt *Runtime) listen(ctx context.Context, key, prefix, text string) (net.Listener, error) {
	at, err := parseListener(text)
	if err != nil {
		return nil, err
	}
	var config *tls.Config
	if at.tls {
		if config, err = rt.clientOptions().ServerTLS(rt.worker, prefix); err != nil {
			return nil, fmt.Errorf("%s %s: %w", key, text, err)
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(at.host, strconv.Itoa(at.port)))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", key, text, err)
	}
	if config != nil {
		return tls.NewListener(l, config), nil
	}
	return jettyListener{l}, nil
}

// jettyListener answers malformed request lines as Jetty does: Go's server answers them before any handler sees them.
type jettyListener struct{ net.Listener }

func (l jettyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &jettyConn{Conn: c}, nil
}

type jettyConn struct {
	net.Conn
	mu   sync.Mutex
	head []byte // how the last request begins
}

// headBytes is how much of a request is kept.
const headBytes = 512

func (c *jettyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 1 { // not the background read that waits for the next request
		c.mu.Lock()
		c.head = append(c.head[:0], b[:min(n, headBytes)]...)
		c.mu.Unlock()
	}
	return n, err
}

// refused is how Go's server begins its answer to a request that it can't parse. No handler's answer begins so: it would
// have a date.
const refused = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

func (c *jettyConn) Write(b []byte) (int, error) {
	if len(b) < len(refused) || string(b[:len(refused)]) != refused {
		return c.Conn.Write(b)
	}
	c.mu.Lock()
	answer := rest.BadRequest(c.head)
	c.mu.Unlock()
	_, err := c.Conn.Write(answer)
	return len(b), err
}
