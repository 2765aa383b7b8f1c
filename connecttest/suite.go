package connecttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// check is one rule of an interface's contract.
type check[H any] struct {
	name string
	rule string // the sentence that is checked; a failure prints it
	run  func(t testing.TB, h H) error
}

// needs says that a check can't be made, since the harness or the plugin lacks something.
type needs string

func (n needs) Error() string { return "needs " + string(n) }

// runChecks runs each check as a subtest, with a fresh harness.
func runChecks[H any](t *testing.T, fresh func(testing.TB) H, checks []check[H]) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			err := c.eval(t, fresh(t))
			if missing, ok := errors.AsType[needs](err); ok {
				t.Skip(missing)
			}
			if err != nil {
				t.Errorf("the contract says: %s\n%v", c.rule, err)
			}
		})
	}
}

// eval makes the check. A panic is a failure.
func (c check[H]) eval(t testing.TB, h H) error {
	return guard(c.name, func() error { return c.run(t, h) })
}

// soon runs f on a goroutine of its own, and fails if it has not returned within [Timeout].
func soon(what string, f func() error) error { return within(Timeout, what, f) }

func within(d time.Duration, what string, f func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- guard(what, f) }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return fmt.Errorf("%s did not return within %v", what, d)
	}
}

// checkSchema checks that a value is valid for its schema, which may be nil.
func checkSchema(what string, s *connect.Schema, v any) error {
	if s == nil {
		return nil
	}
	if err := s.Validate(v); err != nil {
		return fmt.Errorf("%s does not match its schema: %w", what, err)
	}
	return nil
}

// recordText shows all that a record holds, so that a change of it shows.
func recordText(r *connect.Record) string {
	text := fmt.Sprintf("%s/%v key=%v:%s value=%v:%s", r.Topic, r.Partition,
		r.KeySchema, valueText(r.Key), r.ValueSchema, valueText(r.Value))
	if !r.Timestamp.IsZero() {
		text += " time=" + r.Timestamp.Format(time.RFC3339Nano)
	}
	for _, h := range r.Headers {
		text += fmt.Sprintf(" %q=%v:%s", h.Key, h.Schema, valueText(h.Value))
	}
	return text
}

// valueText is connect.FormatValue, but shows bytes, and the difference between nothing and an empty value.
func valueText(v any) string {
	switch v := v.(type) {
	case []byte:
		return fmt.Sprintf("bytes(%t %x)", v == nil, v)
	case string:
		return fmt.Sprintf("%q", v)
	case []any:
		text := "["
		for _, e := range v {
			text += valueText(e) + ","
		}
		return text + "]"
	case *connect.Struct:
		if v == nil {
			return "nil struct"
		}
		text := v.Schema().String() + "{"
		for _, e := range v.Values() {
			text += valueText(e) + ","
		}
		return text + "}"
	}
	if m, ok := connect.AsMap(v); ok {
		text := "{"
		for _, e := range m.Entries() {
			text += valueText(e.Key) + "=" + valueText(e.Value) + ","
		}
		return text + "}"
	}
	return fmt.Sprintf("%T(%s)", v, connect.FormatValue(v))
}

// checkDivision checks TaskConfigs of a started connector.
func checkDivision(t testing.TB, c connect.Connector) error {
	for _, maxTasks := range []int{1, 2, 7} {
		first, err := c.TaskConfigs(t.Context(), maxTasks)
		if err != nil {
			return fmt.Errorf("TaskConfigs(%d): %w", maxTasks, err)
		}
		if len(first) > maxTasks {
			return fmt.Errorf("TaskConfigs(%d) returned %d configurations", maxTasks, len(first))
		}
		text := fmt.Sprint(first)
		for _, cfg := range first {
			for key := range cfg {
				cfg[key] = "changed by the runtime"
			}
		}
		again, err := c.TaskConfigs(t.Context(), maxTasks)
		if err != nil {
			return fmt.Errorf("TaskConfigs(%d), again: %w", maxTasks, err)
		}
		if got := fmt.Sprint(again); got != text {
			return fmt.Errorf("TaskConfigs(%d) gave %s, then %s, though nothing has changed", maxTasks, text, got)
		}
	}
	return nil
}

// checkUnstarted calls what may be called on a connector that is not started.
func checkUnstarted(t testing.TB, c connect.Connector, cfg connect.Config) error {
	if d, ok := connect.As[connect.Defined](c); ok {
		if _, err := d.ConfigDef().Parse(cfg); err != nil {
			return fmt.Errorf("the configuration of the harness is not valid by ConfigDef: %w", err)
		}
	}
	if v, ok := connect.As[connect.Validator](c); ok {
		values := connect.ConfigValues{}
		if err := soon("Validate", func() error { return v.Validate(t.Context(), cfg, values) }); err != nil {
			return fmt.Errorf("Validate: %w", err)
		}
		for key, value := range values {
			if len(value.Errors) > 0 {
				return fmt.Errorf("Validate refuses the configuration of the harness: %s: %v", key, value.Errors)
			}
		}
	}
	if h, ok := connect.As[connect.HealthReporter](c); ok {
		if err := soon("Health", func() error { h.Health(t.Context()); return nil }); err != nil {
			return err
		}
	}
	return nil
}
