package rest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what a [Server] answers from.
type Options struct {
	Connectors
	Tasks
	Offsets
	Plugins
	Loggers
	Worker
	DeadLetters // or nil
	Taps        // or nil
	// Tracking and TrackingReset allow to see and to forget the topics of connectors.
	Tracking, TrackingReset bool
	// AllowOrigin and AllowMethods are lists for requests of pages of other origins; without origins there are none.
	AllowOrigin, AllowMethods string
	// Headers are added to every answer.
	Headers []HeaderRule
	// Authenticate checks the credentials of a request, which then needs some; nil lets everyone in.
	Authenticate func(user, password string) bool
	// JavaErrors answers bodies that are malformed as Kafka Connect does, with status 500 in place of 400.
	JavaErrors bool
	Logger     *slog.Logger
	// Timeout is how long a request may take, HealthTimeout how long one to /health.
	Timeout, HealthTimeout time.Duration
	// Wait is how long a request is tried again that a rebalance keeps from being answered; 0 is not at all. One that another
	// worker sent on is not.
	Wait time.Duration
	// MaxBody bounds the body of a request in bytes.
	MaxBody int64
	// Peers are those to whom requests are sent on.
	Peers
}

// The bounds of [Options] that gives none.
const (
	DefaultTimeout       = 90 * time.Second
	DefaultHealthTimeout = 10 * time.Second
	DefaultMaxBody       = 16 << 20
)

// Server answers requests. It is safe for concurrent use.
type Server struct {
	Options
	cors *cors
}

// New returns a Server.
func New(o Options) *Server {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.HealthTimeout <= 0 {
		o.HealthTimeout = DefaultHealthTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Server{o, newCORS(o.AllowOrigin, o.AllowMethods)}
}

// route is a path and what can be done with it. A segment "{}" stands for any.
type route struct {
	path    []string
	methods map[string]endpoint
}

// endpoint answers one method of one path.
type endpoint struct {
	serve func(*Server, *request) (*answer, error)
	// anyBody takes a body of any content type.
	anyBody bool
	// open needs no credentials.
	open bool
}

// answer is an answer that is no error. A nil body is none.
type answer struct {
	status   int
	body     any
	location string
	written  bool // by the endpoint itself
}

func ok(body any) (*answer, error)        { return &answer{status: http.StatusOK, body: body}, nil }
func done(status int) (*answer, error)    { return &answer{status: status}, nil }
func path(p string) []string              { return segments(p) }
func only(e endpoint) map[string]endpoint { return map[string]endpoint{http.MethodGet: e} }
func get(f func(*Server, *request) (*answer, error)) map[string]endpoint {
	return only(endpoint{serve: f})
}

// request is a request that found its endpoint.
type request struct {
	*http.Request
	w      http.ResponseWriter
	ctx    context.Context
	params []string // what stands for "{}" in the path
	query  query
	limit  int64
	read   func() ([]byte, error)
}

// content returns the body, as often as it is asked for.
func (r *request) content() ([]byte, error) {
	if r.read == nil {
		r.read = sync.OnceValues(func() ([]byte, error) {
			b, err := io.ReadAll(http.MaxBytesReader(r.w, r.Body, r.limit))
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				return nil, Errorf(http.StatusRequestEntityTooLarge, "The request body is larger than %d bytes", tooLarge.Limit)
			}
			return b, err
		})
	}
	return r.read()
}

// json returns the value of the body; nil for null and for no body.
func (r *request) json() (any, error) {
	b, err := r.content()
	if err != nil {
		return nil, err
	}
	if len(b) > 0 && bodyOf(r.Request) == bodyUntyped {
		return nil, Errorf(http.StatusUnsupportedMediaType, "HTTP 415 Unsupported Media Type")
	}
	return parse(b)
}

// Handler returns the handler of the API, with or without the paths below /admin.
func (s *Server) Handler(admin bool) http.Handler {
	routes := mainRoutes()
	if s.DeadLetters != nil {
		routes = append(routes, deadLetterRoutes()...)
	}
	if s.Taps != nil {
		routes = append(routes, tapRoutes()...)
	}
	if admin {
		routes = append(routes, adminRoutes()...)
	}
	return s.handler(routes, true)
}

// AdminHandler returns the handler of a listener for the paths below /admin alone.
func (s *Server) AdminHandler() http.Handler { return s.handler(adminRoutes(), false) }

func (s *Server) handler(routes []route, filters bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, query := target(r)
		if why := refusal(raw, query); why.status != 0 {
			if why.parser {
				r = r.Clone(r.Context())
				r.Method, r.Header = http.MethodGet, nil // it has not been read so far
			}
			writePage(w, r, why.status, why.reason)
			return
		}
		if filters {
			if s.cors != nil {
				s.cors.apply(w.Header(), r)
			}
			for _, rule := range s.Headers {
				rule.apply(w.Header())
			}
		}
		s.dispatch(w, r, routes, segments(raw), parseQuery(query))
	})
}

// match returns the route of a path, and what stands for its "{}".
func match(routes []route, path []string) (*route, []string) {
	for i := range routes {
		rt := &routes[i]
		if len(rt.path) != len(path) {
			continue
		}
		var params []string
		for j, p := range rt.path {
			if p == "{}" {
				params = append(params, path[j])
			} else if p != path[j] {
				params = nil
				goto next
			}
		}
		return rt, params
	next:
	}
	return nil, nil
}

// dispatch finds the endpoint as Jersey does: what it refuses itself has no content type.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, routes []route, path []string, q query) {
	refuse := func(status int) {
		write(w, status, "", errorBody(status, fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))))
	}
	given := bodyUntyped
	if r.Header["Content-Type"] != nil {
		given = bodyOf(r)
	}
	if given == bodyMalformed || r.Method == http.MethodConnect {
		writePage(w, r, http.StatusBadRequest, "Bad Request")
		return
	}
	found, params := match(routes, path)
	if found == nil {
		refuse(http.StatusNotFound)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	e, ok := found.methods[method]
	inquiry := !ok && method == http.MethodOptions
	if !ok && !inquiry {
		refuse(http.StatusMethodNotAllowed)
		return
	}
	accept, err := acceptable(r)
	if err != nil {
		writePage(w, r, http.StatusBadRequest, "Bad Request")
		return
	}
	if inquiry {
		if s.Authenticate != nil && !s.admit(w, r, "text/plain") {
			return
		}
		options(w, found, accept)
		return
	}
	if !e.anyBody && given == bodyOther {
		refuse(http.StatusUnsupportedMediaType)
		return
	}
	contentType, ok := accepted(accept)
	if !ok {
		refuse(http.StatusNotAcceptable)
		return
	}
	if s.Authenticate != nil && !e.open && !s.admit(w, r, jsonType) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.Timeout)
	defer cancel()
	req := &request{Request: r, w: w, ctx: ctx, params: params, query: q, limit: s.MaxBody}
	wait := s.Wait
	if len(req.query["forward"]) > 0 {
		wait = 0
	}
	var a *answer
	answered := false
	err = Patiently(ctx, wait, s.Worker.Stage, func() (err error) {
		a, err = s.call(e, req)
		var elsewhere *Elsewhere
		if errors.As(err, &elsewhere) {
			err = s.forward(req, elsewhere.URL)
			answered = err == nil
		}
		return err
	})
	if answered {
		return
	}
	if err != nil {
		status, message := s.describe(ctx, err)
		write(w, status, contentType, errorBody(status, message))
		return
	}
	if a.written {
		return
	}
	if a.location != "" {
		w.Header().Set("Location", baseURL(r)+a.location)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	write(w, a.status, contentType, a.body)
}

// call calls an endpoint with a panic guard.
func (s *Server) call(e endpoint, r *request) (a *answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			err = Errorf(http.StatusInternalServerError, "Internal error")
		}
	}()
	return e.serve(s, r)
}

func errorBody(status int, message string) any {
	return ordered{{"error_code", status}, {"message", message}}
}

func write(w http.ResponseWriter, status int, contentType string, body any) {
	if contentType == "" {
		w.Header()["Content-Type"] = nil // else one would be guessed
	} else {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	_, _ = w.Write(appendJSON(nil, body)) // the client has gone if this fails
}

// options answers what can be done with a path.
func options(w http.ResponseWriter, rt *route, accept []mediaType) {
	var allowed []string
	for _, m := range []string{"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"} { // the order of a Java HashSet
		_, ok := rt.methods[m]
		if ok || m == "OPTIONS" || m == "HEAD" && rt.methods[http.MethodGet].serve != nil {
			allowed = append(allowed, m)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ","))
	if len(accept) > 0 { // the list is for those who want text
		if best := accept[0]; !best.allows("text", "plain") || best.name == "*" && best.sub != "*" {
			w.Header().Set("Content-Type", best.text(true))
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, strings.Join(allowed, ", "))
}

// baseURL returns the URL of the API as the client knows it.
func baseURL(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host
}

// admit checks the credentials of a request, and answers it if they do not do.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, contentType string) bool {
	user, password, err := credentials(r.Header.Get("Authorization"))
	switch {
	case err != nil:
		write(w, http.StatusInternalServerError, contentType, errorBody(http.StatusInternalServerError, err.Error()))
	case user == "" || !s.Authenticate(user, password):
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "User cannot access the resource.")
	default:
		return true
	}
	return false
}

// credentials returns the user and password of a header; no user if it has none.
func credentials(header string) (user, password string, err error) {
	scheme, encoded, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return "", "", nil
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", errors.New("Illegal base64 in the Authorization header")
	}
	user, password, ok = strings.Cut(string(decoded), ":")
	if !ok {
		return "", "", nil
	}
	return user, password, nil
}

func adminRoutes() []route { return loggerRoutes() }

func mainRoutes() []route {
	return slices.Concat(rootRoutes(), connectorRoutes(), taskRoutes(), offsetRoutes(), pluginRoutes())
}
