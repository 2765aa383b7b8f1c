package logging_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/gokconnect/connect/internal/logging"
)

func TestLevels(t *testing.T) {
	var out bytes.Buffer
	next := slog.NewTextHandler(&out, nil)
	levels := logging.New(next)
	log := slog.New(levels.Handler(next))
	inner := logging.Named(log, "a.b.c")
	inner.Debug("one")
	log.Debug("two")
	if out.Len() > 0 {
		t.Fatalf("below the root's level, and logged all the same: %s", &out)
	}
	set := func(name, level string, want ...string) {
		t.Helper()
		l, ok := logging.ParseLevel(level)
		if !ok {
			t.Fatalf("level %s", level)
		}
		changed, err := levels.Set(name, l)
		if err != nil || !slices.Equal(changed, want) {
			t.Errorf("%s to %s changes %q, %v, want %q", name, level, changed, err, want)
		}
	}
	set("a.b", "debug", "a.b", "a.b.c")
	inner.Debug("three")
	log.Debug("four")
	logging.Named(log, "a.b.d").Debug("five")
	set("a.b.c", "ERROR", "a.b.c")
	inner.Warn("six")
	set("Root", "off", "a.b", "a.b.c", "a.b.d", "root")
	log.Error("seven")
	for text, want := range map[string]bool{"three": true, "four": false, "five": true, "six": false, "seven": false} {
		if strings.Contains(out.String(), text) != want {
			t.Errorf("%s was logged: %v, want %v", text, !want, want)
		}
	}
	if s, ok := levels.Get("a.b.c"); !ok || s.Level != "OFF" || s.Modified.IsZero() {
		t.Errorf("a.b.c is %+v, %v", s, ok)
	}
	if _, ok := levels.Get("nope"); ok {
		t.Error("a logger that nobody made exists")
	}
	if len(levels.All()) != 4 {
		t.Errorf("loggers: %v", levels.All())
	}
}
