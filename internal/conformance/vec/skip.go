package vec

import (
	"encoding/json"
	"testing"

	"github.com/gokconnect/connect/internal/conformance"
)

// ByteBufferSlice is the reason of [SkipReason] for bytes that are a part of a larger buffer, which some Java code ignores.
const ByteBufferSlice = "slice of a ByteBuffer"

// SkipReason returns why a case can't be run in Go, by the rules of conformance/data/README.md, or "". Texts of floating
// point numbers as they were before JDK 19 are no reason: ours are those.
func SkipReason(c conformance.Case) string {
	for _, raw := range []json.RawMessage{c.In, c.Out} {
		if !null(raw) {
			if reason := skipReason(decode[any](raw)); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func skipReason(tree any) string {
	switch n := tree.(type) {
	case []any:
		for _, e := range n {
			if reason := skipReason(e); reason != "" {
				return reason
			}
		}
	case map[string]any:
		switch n["t"] {
		case "java":
			return "object of a Java class that Go lacks"
		case "string":
			if _, ok := n["utf16"]; ok {
				return "unpaired surrogate"
			}
		case "bytes":
			if _, ok := n["position"]; ok {
				return ByteBufferSlice
			}
		}
		for _, e := range n {
			if reason := skipReason(e); reason != "" {
				return reason
			}
		}
	}
	return ""
}

// Skip skips the test of a case that can't be run in Go.
func Skip(t testing.TB, c conformance.Case) {
	t.Helper()
	if reason := SkipReason(c); reason != "" {
		t.Skip(reason)
	}
}

// Run is [conformance.Run] without the cases that can't be run in Go, which it counts and logs.
func Run(t *testing.T, pattern string, check func(t *testing.T, c conformance.Case)) {
	t.Helper()
	ran := 0
	skipped := map[string]int{}
	conformance.Run(t, pattern, func(t *testing.T, c conformance.Case) {
		if reason := SkipReason(c); reason != "" {
			skipped[reason]++
			t.Skip(reason)
		}
		ran++
		check(t, c)
	})
	t.Logf("%s: %d cases run, skipped: %v", pattern, ran, skipped)
}
