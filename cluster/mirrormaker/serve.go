package mirrormaker

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/plugin/mirror"
)

// Times of the listeners.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 60 * time.Second
	closeTimeout  = 5 * time.Second
)

const listenersKey = "listeners"

// server serves requests of the other processes.
type server struct {
	listeners []net.Listener
	handler   http.Handler
	url       string // where the others reach it
}

// listen opens the listeners that the flows name.
func (m *Maker) listen(ctx context.Context) (*server, error) {
	text, ok := m.cfg.Flows.Property(listenersKey)
	if !ok {
		text = "http://:8083"
	}
	s := &server{handler: m.Handler()}
	advertised := &url.URL{}
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.TrimSpace(entry)
		l, at, err := m.open(ctx, entry)
		if err != nil {
			s.close()
			return nil, err
		}
		m.log.Info("processes that share the work are listened to", "url", entry, "address", l.Addr().String())
		s.listeners = append(s.listeners, l)
		if advertised.Host == "" || advertised.Scheme == "https" && at.Scheme == "http" {
			advertised = at
		}
	}
	var err error
	if s.url, err = m.advertise(advertised); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// open opens one listener, and returns where it is reached on this machine.
func (m *Maker) open(ctx context.Context, text string) (net.Listener, *url.URL, error) {
	bad := func(err error) error {
		return connect.ConfigErrorf(listenersKey, "Invalid value %s for configuration %s: %v", text, listenersKey, err)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, nil, bad(err)
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" || u.Port() == "" {
		return nil, nil, bad(errors.New("it is not of the form http://HOST:PORT or https://HOST:PORT"))
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", u.Host)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", listenersKey, err)
	}
	host, port := u.Hostname(), u.Port()
	if at, ok := l.Addr().(*net.TCPAddr); ok && port == "0" {
		port = strconv.Itoa(at.Port)
	}
	if scheme == "https" {
		config, err := clients.Options{KeyStores: m.cfg.Flows.Options().KeyStores}.ServerTLS(m.cfg.Flows.Properties(""), "listeners.https.")
		if err != nil {
			_ = l.Close()
			return nil, nil, bad(err)
		}
		l = tls.NewListener(l, config)
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	return l, &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}, nil
}

// advertise returns the URL that the other processes get: what is listened on, unless keys say otherwise.
func (m *Maker) advertise(at *url.URL) (string, error) {
	host, port := at.Hostname(), at.Port()
	if v, ok := m.cfg.Flows.Property("rest.advertised.host.name"); ok && v != "" {
		host = v
	}
	if v, ok := m.cfg.Flows.Property("rest.advertised.port"); ok && v != "" {
		port = v
	}
	scheme := at.Scheme
	if v, ok := m.cfg.Flows.Property("rest.advertised.listener"); ok && v != "" {
		scheme = strings.ToLower(v)
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: "/"}
	return u.String(), nil
}

// serve serves until ctx ends.
func (s *server) serve(ctx context.Context) error {
	h := &http.Server{Handler: s.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, len(s.listeners))
	for _, l := range s.listeners {
		go func() { ended <- h.Serve(l) }()
	}
	var err error
	left := len(s.listeners)
	select {
	case <-ctx.Done():
	case err = <-ended:
		left--
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if h.Shutdown(closing) != nil {
		_ = h.Close() // those that ask would rather have an answer, but have waited long enough
	}
	for range left {
		<-ended
	}
	return err
}

func (s *server) close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}

// flowURL is where the worker of a flow is reached.
func flowURL(base string, flow mirror.Flow) string {
	return strings.TrimSuffix(base, "/") + "/" + url.PathEscape(flow.Source) + "/" + url.PathEscape(flow.Target) + "/"
}

// pathRest is what is left of a path.
type pathRest struct{ escaped, plain string }

// splitPath takes a flow off a path, and lets through what workers ask of each other: new configurations of tasks, and a
// round of fencing.
func splitPath(path string) (flow mirror.Flow, rest pathRest, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 6 || parts[0] != "" || parts[3] != "connectors" || parts[5] != "tasks" && parts[5] != "fence" {
		return flow, rest, false
	}
	var err error
	if flow.Source, err = url.PathUnescape(parts[1]); err != nil {
		return flow, rest, false
	}
	if flow.Target, err = url.PathUnescape(parts[2]); err != nil {
		return flow, rest, false
	}
	rest.escaped = "/" + strings.Join(parts[3:], "/")
	rest.plain, err = url.PathUnescape(rest.escaped)
	return flow, rest, err == nil
}

// answerError answers as the REST API of Kafka Connect does.
func answerError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error_code": status, "message": message}) // who asked may be gone
}
