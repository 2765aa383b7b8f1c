package cluster_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

func TestRESTExtensions(t *testing.T) {
	mark := func(text string) func(*cluster.Runtime, http.Handler) http.Handler {
		return func(rt *cluster.Runtime, next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if rt == nil {
					t.Error("there is no runtime")
				}
				w.Header().Add("X-Mark", text)
				next.ServeHTTP(w, r)
			})
		}
	}
	cfg := cluster.Config{
		Brokers: []string{"localhost:1"}, GroupID: "g", Worker: connect.Config{"rest.extension.classes": "org.b.B,A"},
		RESTExtensions: []cluster.RESTExtension{{"org.a.A", mark("a")}, {"", mark("always")}, {"org.b.B", mark("b")}, {"org.c.C", mark("c")}},
	}
	rt, err := cluster.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for path, h := range map[string]http.Handler{"/none": rt.Handler(), "/admin/none": rt.AdminHandler()} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if got := strings.Join(w.Header()["X-Mark"], " "); got != "always b a" || w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, through %s", path, w.Code, got)
		}
	}
	cfg.Worker = connect.Config{"rest.extension.classes": "org.d.D"}
	if _, err := cluster.New(cfg); err == nil || !strings.Contains(err.Error(), "Invalid value org.d.D for configuration rest.extension.classes") || !strings.Contains(err.Error(), "org.c.C") {
		t.Errorf("a class that nobody has: %v", err)
	}
	cfg.Worker = connect.Config{"rest.extension.classes": "BasicAuthSecurityRestExtension"}
	if _, err := cluster.New(cfg); err == nil || !strings.Contains(err.Error(), "Authenticate") {
		t.Errorf("nobody checks credentials: %v", err)
	}
	cfg.RESTExtensions = []cluster.RESTExtension{{Class: "x"}}
	if _, err := cluster.New(cfg); err == nil {
		t.Error("an extension that does nothing is accepted")
	}
}
