package conformance_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
)

func decodeCase(t *testing.T, raw json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// sameJSON compares two values by their JSON trees.
func sameJSON(t *testing.T, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

// sameError compares an error with the one of the case: the message if it is Kafka's own, else only that there is one.
func sameError(t *testing.T, c conformance.Case, err error) {
	t.Helper()
	switch {
	case c.Error == nil && err != nil:
		t.Fatalf("got error %q, want none", err)
	case c.Error == nil:
	case err == nil:
		t.Fatalf("got no error, want %q", c.Error.Message)
	case strings.HasPrefix(c.Error.Class, "org.apache.kafka."):
		want, got := c.Error.Message, err.Error()
		const cut = "Syntax error in regular expression: " // what follows is Java's own text
		if before, _, ok := strings.Cut(want, cut); ok {
			want = before + cut
			before, _, _ := strings.Cut(got, cut)
			got = before + cut
		}
		if got != want {
			t.Fatalf("got error  %q\nwant error %q", got, want)
		}
		if strings.HasSuffix(c.Error.Class, ".ConfigException") {
			if _, ok := errors.AsType[*connect.ConfigError](err); !ok {
				t.Fatalf("got %T, want a *ConfigError", err)
			}
		}
	}
}
