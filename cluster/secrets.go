package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
)

// What counts as a secret. Shorter values would be found in texts that have nothing to do with them.
const (
	minHiddenText   = 4 // in errors and logs
	minHiddenConfig = 6 // in the configurations of tasks, where a placeholder means the same
)

// secrets are the values that config providers gave for placeholders. Errors and logs get the placeholders in their
// place. Safe for concurrent use; the zero secrets is ready for use.
type secrets struct {
	mu       sync.RWMutex
	values   map[string][2]string // by placeholder: the value and the one before it
	replacer *strings.Replacer    // nil: nothing to hide
}

// learn takes what was resolved, by placeholder.
func (s *secrets) learn(resolved map[string]string) {
	if len(resolved) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for placeholder, value := range resolved {
		if known := s.values[placeholder]; known[0] != value && hideable(value, minHiddenText) {
			if s.values == nil {
				s.values = make(map[string][2]string)
			}
			s.values[placeholder] = [2]string{value, known[0]}
			changed = true
		}
	}
	if !changed {
		return
	}
	var pairs [][2]string
	for placeholder, values := range s.values {
		for _, value := range values {
			if value != "" {
				pairs = append(pairs, [2]string{value, placeholder})
			}
		}
	}
	s.replacer = replacer(pairs)
}

// replacer returns a replacer of values by placeholders. The longest value counts where several begin.
func replacer(pairs [][2]string) *strings.Replacer {
	sort.Slice(pairs, func(i, j int) bool {
		a, b := pairs[i], pairs[j]
		return cmp.Or(cmp.Compare(len(b[0]), len(a[0])), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) < 0
	})
	var flat []string
	for _, p := range pairs {
		flat = append(flat, p[0], p[1])
	}
	return strings.NewReplacer(flat...)
}

func hideable(value string, least int) bool {
	return len(value) >= least && !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false")
}

func (s *secrets) hide(text string) string {
	s.mu.RLock()
	r := s.replacer
	s.mu.RUnlock()
	if r == nil {
		return text
	}
	return r.Replace(text)
}

// hideIn returns err, or, if its text has a secret in it, an error with the placeholder there that wraps err.
func (s *secrets) hideIn(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if hidden := s.hide(text); hidden != text {
		return &hiddenError{hidden, err}
	}
	return err
}

// hiddenError is an error whose text had a secret in it.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }

// hideResolved puts the placeholders in the place of what was resolved for a connector, in a configuration that the
// connector made: also where it put a secret into a longer text, such as a URL.
func hideResolved(task connect.Config, resolved map[string]string) {
	var pairs [][2]string
	for placeholder, value := range resolved {
		if hideable(value, minHiddenConfig) {
			pairs = append(pairs, [2]string{value, placeholder})
		}
	}
	if len(pairs) == 0 {
		return
	}
	r := replacer(pairs)
	for _, key := range slices.Collect(maps.Keys(task)) {
		task[key] = r.Replace(task[key])
	}
}

// hidingHandler is a handler of logs that puts placeholders in the place of secrets.
type hidingHandler struct {
	slog.Handler
	secrets *secrets
}

func (h *hidingHandler) Handle(ctx context.Context, r slog.Record) error {
	h.secrets.mu.RLock()
	none := h.secrets.replacer == nil
	h.secrets.mu.RUnlock()
	if none {
		return h.Handler.Handle(ctx, r)
	}
	out := slog.NewRecord(r.Time, r.Level, h.secrets.hide(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.attr(a))
		return true
	})
	return h.Handler.Handle(ctx, out)
}

func (h *hidingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	hidden := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		hidden[i] = h.attr(a)
	}
	return &hidingHandler{h.Handler.WithAttrs(hidden), h.secrets}
}

func (h *hidingHandler) WithGroup(name string) slog.Handler {
	return &hidingHandler{h.Handler.WithGroup(name), h.secrets}
}

func (h *hidingHandler) attr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(h.secrets.hide(a.Value.String()))
	case slog.KindGroup:
		group := slices.Clone(a.Value.Group())
		for i := range group {
			group[i] = h.attr(group[i])
		}
		a.Value = slog.GroupValue(group...)
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.AnyValue(h.secrets.hideIn(err))
			break
		}
		if text, ok := h.secrets.hideInValue(a.Value.Any()); ok {
			a.Value = slog.StringValue(text)
		}
	}
	return a
}

// hideInValue returns the text of a value with placeholders, if there is a secret in it. It looks at both texts that
// handlers make of values: JSON also has what is behind pointers.
func (s *secrets) hideInValue(v any) (string, bool) {
	text := fmt.Sprintf("%+v", v)
	if hidden := s.hide(text); hidden != text {
		return hidden, true
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return "", false
	}
	text = strings.TrimSpace(b.String())
	hidden := s.hide(text)
	return hidden, hidden != text
}
