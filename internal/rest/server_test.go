package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/rest"
)

// fake answers for everything behind the API.
type fake struct {
	rest.Connectors
	rest.Tasks
	rest.Offsets
	rest.Plugins
	rest.Loggers

	get   func(ctx context.Context, name string) (*rest.ConnectorInfo, error)
	got   rest.Config
	ready bool
	able  bool
}

func (f *fake) Connector(ctx context.Context, name string) (*rest.ConnectorInfo, error) {
	if f.get != nil {
		return f.get(ctx, name)
	}
	return nil, rest.NotFoundf("Connector %s not found", name)
}

func (f *fake) Names(context.Context) ([]string, error) { return []string{"a", "b"}, nil }

func (f *fake) Status(_ context.Context, name string) (*rest.Status, error) {
	if name == "b" {
		return nil, rest.NotFoundf("No status found for connector b")
	}
	return &rest.Status{Name: name, Connector: rest.Instance{State: "FAILED", WorkerID: "w:1", Version: "1", Trace: "oh\u2028\U0001F600"}, Type: "sink",
		Tasks: []rest.TaskStatus{{ID: 0, Instance: rest.Instance{State: "UNASSIGNED", WorkerID: "w:1"}}}}, nil
}

func (f *fake) Create(_ context.Context, name string, cfg rest.Config, _ rest.State) (*rest.ConnectorInfo, error) {
	f.got = cfg
	return &rest.ConnectorInfo{Name: name, Config: cfg, Type: "source", Tasks: []connect.TaskID{{Connector: name, Task: 1}}}, nil
}

func (f *fake) Put(ctx context.Context, name string, cfg rest.Config) (*rest.ConnectorInfo, bool, error) {
	info, err := f.Create(ctx, name, cfg, "")
	return info, false, err
}

func (f *fake) Patch(_ context.Context, _ string, _ rest.Config) (*rest.ConnectorInfo, error) {
	return nil, errors.New("no")
}
func (f *fake) Delete(context.Context, string) error               { return connect.ErrNotFound }
func (f *fake) SetState(context.Context, string, rest.State) error { return nil }
func (f *fake) Restart(context.Context, string, rest.RestartPlan) (*rest.Status, error) {
	return nil, nil
}
func (f *fake) FirstStatus(ctx context.Context, name string) (*rest.Status, error) {
	return f.Status(ctx, name)
}
func (f *fake) TaskStatus(context.Context, connect.TaskID) (*rest.TaskStatus, error) {
	return &rest.TaskStatus{}, nil
}
func (f *fake) RestartTask(context.Context, connect.TaskID) error            { return nil }
func (f *fake) Topics(context.Context, string) ([]string, error)             { return nil, nil }
func (f *fake) ResetTopics(context.Context, string) error                    { return nil }
func (f *fake) Fence(context.Context, string, []byte, *rest.Signature) error { return nil }
func (f *fake) PutTasks(context.Context, string, []rest.Config, []byte, *rest.Signature) error {
	return nil
}
func (f *fake) PreviewOffsets(_ context.Context, _ string, changes []rest.OffsetChange) ([]rest.OffsetPreview, error) {
	return []rest.OffsetPreview{{Partition: []byte(`{"p":1}`), From: []byte(`{"o":1}`), To: []byte("null")}}, nil
}

func (f *fake) AlterOffsets(context.Context, string, []rest.OffsetChange) (string, error) {
	return "done", nil
}
func (f *fake) ResetOffsets(context.Context, string) (string, error) { return "done", nil }
func (f *fake) PluginConfig(context.Context, string) ([]*connconfig.Definition, error) {
	return nil, connect.ErrNotFound
}
func (f *fake) Validate(context.Context, rest.Config) (*connconfig.Result, error) {
	return &connconfig.Result{}, nil
}
func (f *fake) Logger(string) (rest.Logger, bool) { return rest.Logger{}, false }
func (f *fake) SetLevel(context.Context, string, string, bool) ([]string, error) {
	return []string{}, nil
}
func (f *fake) Root(context.Context) (rest.Root, error) { return rest.Root{Version: "1"}, nil }
func (f *fake) Health(ctx context.Context) (bool, bool) {
	if !f.able {
		<-ctx.Done()
	}
	return f.ready, f.able
}
func (f *fake) Stage() string { return "The worker is currently here, which began at then." }

// Lists that share their name with an interface of the package.
type (
	offsetsOf struct{ *fake }
	tasksOf   struct{ *fake }
	pluginsOf struct{ *fake }
	loggersOf struct{ *fake }
)

func (offsetsOf) Offsets(context.Context, string) ([]rest.PartitionOffset, error) { return nil, nil }
func (tasksOf) Tasks(context.Context, string) ([]rest.TaskInfo, error)            { return nil, nil }
func (pluginsOf) Plugins(context.Context, bool) ([]rest.Plugin, error)            { return nil, nil }
func (loggersOf) Loggers() []rest.Logger                                          { return nil }

func newServer(f *fake, change func(*rest.Options)) *rest.Server {
	o := rest.Options{Connectors: f, Tasks: tasksOf{f}, Offsets: offsetsOf{f}, Plugins: pluginsOf{f}, Loggers: loggersOf{f}, Worker: f, Tracking: true, TrackingReset: true}
	if change != nil {
		change(&o)
	}
	return rest.New(o)
}

func ask(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func want(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, status, body)
	}
}

func message(status int, text string) string {
	return fmt.Sprintf(`{"error_code":%d,"message":"%s"}`, status, text)
}

func TestBodies(t *testing.T) {
	h := newServer(new(fake), func(o *rest.Options) { o.MaxBody = 5000 }).Handler(true)
	want(t, ask(h, "PUT", "/connectors/x/config", strings.Repeat(" ", 5001)), 413, message(413, "The request body is larger than 5000 bytes"))
	want(t, ask(h, "PUT", "/connectors/x/config", `{"b":1.50,"a":true,"b":"two"}`), 200,
		`{"name":"x","config":{"b":"two","a":"true","name":"x"},"tasks":[{"connector":"x","task":1}],"type":"source"}`)
	java := newServer(new(fake), func(o *rest.Options) { o.JavaErrors = true }).Handler(true)
	for _, bad := range []string{
		strings.Repeat("[", 2000), `{"a":` + strings.Repeat("1", 1001) + `}`, "{\"a\":\"\xff\"}", `{"a":1}}`, `{"a"`, "nul", "null", " ", `[]`, `{"a":[]}`,
		`{"` + strings.Repeat("k", 50001) + `":"v"}`, "\xff\xfe{\x00}",
	} {
		for status, h := range map[int]http.Handler{400: h, 500: java} {
			if w := ask(h, "PUT", "/connectors/x/config", bad); w.Code != status && w.Code != 413 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%.20q: %d %s, want %d", bad, w.Code, w.Body, status)
			}
		}
	}
	for _, empty := range []string{"\ufeff{}", "\xff\xfe{\x00}\x00", "\xfe\xff\x00{\x00}", "{\x00}\x00", "\x00{\x00}", "{\x00\x00\x00}\x00\x00\x00", "\x00\x00\x00{\x00\x00\x00}"} {
		want(t, ask(h, "PUT", "/connectors/x/config", empty), 200, `{"name":"x","config":{"name":"x"},"tasks":[{"connector":"x","task":1}],"type":"source"}`)
	}
}

func TestAnswersAreJavas(t *testing.T) {
	h := newServer(new(fake), nil).Handler(true)
	want(t, ask(h, "GET", "/connectors/a/status", ""), 200, "{\"name\":\"a\",\"connector\":{\"state\":\"FAILED\",\"worker_id\":\"w:1\",\"version\":\"1\",\"trace\":\"oh\u2028\\uD83D\\uDE00\"},"+
		`"tasks":[{"id":0,"state":"UNASSIGNED","worker_id":"w:1","version":null}],"type":"sink"}`)
	if w := ask(h, "GET", "/connectors?expand=status", ""); !strings.HasPrefix(w.Body.String(), `{"a":{"status":`) || strings.Contains(w.Body.String(), `"b"`) {
		t.Errorf("a connector without status is listed: %s", w.Body)
	}
	want(t, ask(h, "DELETE", "/connectors/x", ""), 404, message(404, "not found"))
	below := http.StripPrefix("/connect", h)
	want(t, ask(below, "GET", "/connect/connectors", ""), 200, `["a","b"]`)
}

func TestPanicsAndTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{get: func(ctx context.Context, name string) (*rest.ConnectorInfo, error) {
			if name == "panic" {
				panic("a secret")
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		h := newServer(f, nil).Handler(true)
		want(t, ask(h, "GET", "/connectors/panic", ""), 500, message(500, "Internal error"))
		began := time.Now()
		want(t, ask(h, "GET", "/connectors/slow", ""), 500, message(500, "Request timed out. The worker is currently here, which began at then."))
		if took := time.Since(began); took != rest.DefaultTimeout {
			t.Errorf("it took %v", took)
		}
		began = time.Now()
		want(t, ask(h, "GET", "/health", ""), 503, `{"status":"starting","message":"Worker is still starting up. The worker is currently here, which began at then."}`)
		if took := time.Since(began); took != rest.DefaultHealthTimeout {
			t.Errorf("health took %v", took)
		}
		f.ready = true
		want(t, ask(h, "GET", "/health", ""), 500, `{"status":"unhealthy","message":"Worker was unable to handle this request and may be unable to handle other requests. The worker is currently here, which began at then."}`)
		f.able = true
		want(t, ask(h, "GET", "/health", ""), 200, `{"status":"healthy","message":"Worker has completed startup and is ready to handle requests."}`)
	})
}

func TestForwarding(t *testing.T) {
	var seen *http.Request
	var body string
	answer := func(w http.ResponseWriter) {
		w.Header().Set("Location", "http://elsewhere:1/connectors/x%20y")
		w.WriteHeader(201)
		_, _ = io.WriteString(w, `{"name":"x y"}`)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen, body = r, string(b)
		answer(w)
	}))
	defer other.Close()
	to := other.URL + "/"
	h := newServer(&fake{get: func(context.Context, string) (*rest.ConnectorInfo, error) { return nil, &rest.Elsewhere{URL: to} }}, nil).Handler(true)
	forwarded := func(target string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", target, strings.NewReader("body"))
		r.Header.Set("Authorization", "Basic x")
		r.Header.Set("Cookie", "c")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := forwarded("/connectors/x%20y?includeTasks=true&foo=1")
	want(t, w, 201, `{"name":"x y"}`)
	if at := w.Header().Get("Location"); at != "http://example.com/connectors/x%20y" {
		t.Errorf("Location %s", at)
	}
	if seen.RequestURI != "/connectors/x%20y?forward=true&includeTasks=true" || body != "body" || seen.Header.Get("Authorization") != "Basic x" ||
		seen.Header.Get("Cookie") != "" || seen.UserAgent() != "kafka-connect" || seen.Header.Get("Content-Type") != "application/json" {
		t.Errorf("forwarded %s %q with %v", seen.RequestURI, body, seen.Header)
	}
	if forwarded("/connectors/x?forward=true"); seen.RequestURI != "/connectors/x?forward=false" {
		t.Errorf("forwarded again to %s", seen.RequestURI)
	}
	want(t, forwarded("/connectors/x?forward=false"), 409, message(409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"))
	answer = func(w http.ResponseWriter) { http.Error(w, `{"error_code":404,"message":"gone"}`, 404) }
	want(t, forwarded("/connectors/x"), 404, message(404, "gone"))
	answer = func(w http.ResponseWriter) { w.WriteHeader(204) }
	want(t, forwarded("/connectors/x"), 204, "")
	answer = func(w http.ResponseWriter) { http.Redirect(w, seen, "/x", http.StatusFound) }
	want(t, forwarded("/connectors/x"), 500, message(500, "Unexpected status code when handling forwarded request: 302"))
	to = ""
	want(t, forwarded("/connectors/x"), 409, message(409, "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."))
	to = "http://127.0.0.1:1"
	if w := forwarded("/connectors/x"); w.Code != 500 || !strings.Contains(w.Body.String(), "IO Error trying to forward REST request: ") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOtherOrigins(t *testing.T) {
	for _, tt := range []struct{ allowed, origin, want string }{
		{"*", "http://a", "http://a"},
		{"http://a, http://b", "HTTP://B", "HTTP://B"},
		{"http://a", "http://x http://a", "http://x http://a"},
		{"http://*.a.com", "http://x.a.com", "http://x.a.com"},
		{"http://*.a.com", "http://xxa.com", ""},
		{"http://a", "", ""},
		{"", "http://a", ""},
	} {
		h := newServer(&fake{ready: true, able: true}, func(o *rest.Options) { o.AllowOrigin = tt.allowed }).Handler(true)
		r := httptest.NewRequest("GET", "/health", nil)
		r.Header.Set("Origin", tt.origin)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != tt.want {
			t.Errorf("%q from %q: %q", tt.allowed, tt.origin, got)
		}
		if vary := w.Header().Get("Vary"); (vary == "Origin") != (tt.allowed != "") {
			t.Errorf("%q: Vary %q", tt.allowed, vary)
		}
	}
}

// Whatever is asked, the answer has a status and is what it says it is.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{"/", "/connectors", "/connectors/a/config", "/connectors/a%2Fb", "/connectors/a/tasks/1/status", "/connectors//", "/%zz", "/connectors/{x}",
		"/connectors/a/offsets", "/connector-plugins/a/config/validate", "/admin/loggers/a?scope=cluster", "/connectors/a/fence", "/connectors;a=b/..;/c"} {
		for _, method := range []string{"GET", "PUT", "POST", "PATCH", "OPTIONS"} {
			f.Add(method, path, `{"name":"{","config":{"a":[1e999,"\ud800"]}}`, "application/json")
			f.Add(method, path, `{"offsets":[{"partition":{"a":1},"offset":{"b":99999999999999999999}}]}`, "text/plain;charset")
		}
	}
	h := newServer(&fake{ready: true, able: true}, func(o *rest.Options) { o.AllowOrigin = "*" }).Handler(true)
	f.Fuzz(func(t *testing.T, method, path, body, contentType string) {
		r, err := http.NewRequest(method, "http://w:1/", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil {
			return
		}
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: %s", method, path, w.Body)
		}
		if strings.Contains(w.Body.String(), "Internal error") {
			t.Errorf("%s %q %q panics", method, path, body)
		}
	})
}
