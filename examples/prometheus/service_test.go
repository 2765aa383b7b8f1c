package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kfake"
)

//go:embed dashboard.json
var dashboard []byte

var metricName = regexp.MustCompile(`\bkafka_connect_[a-z_]+`)

// TestDashboard: what the dashboard asks for is what the service exports.
func TestDashboard(t *testing.T) {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	arrived := make(chan struct{}, 1)
	rt, metrics, err := newService(cluster.Config{Brokers: kafka.ListenAddrs(), GroupID: "test"}, time.Millisecond, func(n int) {
		if n > 0 {
			select {
			case arrived <- struct{}{}:
			default:
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- rt.Run(ctx) }()
	select {
	case <-arrived:
	case <-ctx.Done():
		t.Fatal("no record arrived in a minute")
	}
	answer := httptest.NewRecorder()
	metrics.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	exported := map[string]bool{}
	for line := range strings.Lines(answer.Body.String()) {
		if name := metricName.FindString(line); name != "" && !strings.HasPrefix(line, "#") {
			exported[name] = true
		}
	}
	var d struct {
		Templating struct{ List []struct{ Definition string } }
		Panels     []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &d); err != nil {
		t.Fatal(err)
	}
	asked := 0
	check := func(where, text string) {
		for _, name := range metricName.FindAllString(text, -1) {
			asked++
			if !exported[name] {
				t.Errorf("%s: %s is not exported", where, name)
			}
		}
	}
	for _, v := range d.Templating.List {
		check("a variable", v.Definition)
	}
	for _, p := range d.Panels {
		before := asked
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
		if asked == before {
			t.Errorf("%s asks for nothing", p.Title)
		}
	}
	if t.Failed() {
		t.Logf("exported: %s", answer.Body)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
