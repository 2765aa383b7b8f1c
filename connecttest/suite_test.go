package connecttest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
)

// broken returns the names of the checks that find a flaw.
func broken[H any](t *testing.T, checks []check[H], fresh func() H) (names []string) {
	t.Helper()
	for _, c := range checks {
		var err error
		synctest.Test(t, func(t *testing.T) { err = c.eval(t, fresh()) })
		if _, ok := errors.AsType[needs](err); err != nil && !ok {
			names = append(names, c.name)
		}
	}
	return names
}

// wantBroken checks that a suite finds a flaw, and nothing in what has none.
func wantBroken[H any](t *testing.T, checks []check[H], flaws map[string]string, fresh func(flaw string) H) {
	t.Helper()
	if names := broken(t, checks, func() H { return fresh("") }); len(names) > 0 {
		t.Errorf("without a flaw: %v", names)
	}
	for flaw, name := range flaws {
		if names := broken(t, checks, func() H { return fresh(flaw) }); !slices.Contains(names, name) {
			t.Errorf("flaw %q: %v failed, want %s among them", flaw, names, name)
		}
	}
}

// A failure says which rule was broken.
func TestRuleIsNamed(t *testing.T) {
	for _, c := range sourceChecks {
		if c.name == "" || len(strings.Fields(c.rule)) < 5 {
			t.Errorf("check %q has the rule %q", c.name, c.rule)
		}
	}
}

// The runners and fakes work in virtual time.
func TestFakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(FakeSource)
		run := RunSource(t, s, connect.Config{"tasks.max": "2", "records": "3", "interval.ms": "1000", FailOn: "poll#2", FailWith: "retriable"})
		if n := len(run.Take(6)); n != 6 {
			t.Errorf("%d records", n)
		}
		run.Restart()
		synctest.Wait()
		if n := len(run.Pending()); n != 0 {
			t.Errorf("%d records after the end", n)
		}
		run.Stop()
		if got := s.Count("stop"); got != 4 || s.Count("commitrecord") != 6 {
			t.Errorf("%d calls of stop, calls: %v", got, s.Calls())
		}
		for _, o := range run.Offsets.All() {
			if o.Offset["n"] != int64(3) {
				t.Errorf("offset %v", o)
			}
		}

		for call, cfg := range map[string]connect.Config{
			"poll#1: scripted failure":            {FailOn: "poll"},
			"start#1: scripted failure":           {FailOn: "start"},
			"scripted panic in poll#3":            {PanicOn: "poll#3"},
			"connector.taskconfigs#1: scripted f": {FailOn: "connector.taskconfigs"},
		} {
			run := RunSource(t, new(FakeSource), cfg)
			if err := run.AwaitError(); !strings.Contains(err.Error(), call) {
				t.Errorf("%v: got %v", cfg, err)
			}
			run.Stop()
		}
		blocked := RunSource(t, new(FakeSource), connect.Config{BlockOn: "poll#2"})
		blocked.Take(1)
		synctest.Wait()
		blocked.Stop()
	})
}

// A script with a slip of the pen is refused: else the test that has it would test nothing.
func TestWrongScript(t *testing.T) {
	for key, value := range map[string]string{FailOn: "pol#2", PanicOn: "put,polls", FailWith: "retryable"} {
		err := new(FakeSource).Start(t.Context(), NewConnectorContext(t, "fake", nil), connect.Config{key: value})
		if wrong := new(connect.ConfigError); !errors.As(err, &wrong) || wrong.Key != key || !strings.Contains(err.Error(), value) {
			t.Errorf("%s=%s: error %v", key, value, err)
		}
	}
}

func TestFakeSink(t *testing.T) {
	s := new(FakeSink)
	run := RunSink(t, s, connect.Config{FailOn: "put#2", FailWith: "data"})
	run.Put(connect.Record{Topic: "t", Value: 1})
	if err := run.TryPut(connect.Record{Topic: "t", Value: 2}); !errors.Is(err, ErrScripted) {
		t.Errorf("got %v", err)
	}
	run.Put(connect.Record{Topic: "t", Value: 2})
	run.Commit()
	run.Stop()
	if got := run.Committed[connect.TopicPartition{Topic: "t"}]; got != 2 || len(s.Records()) != 2 || s.Records()[1].Offset != 1 {
		t.Errorf("committed %d, records %v", got, s.Records())
	}
	var names []string
	for _, c := range s.Calls() {
		names = append(names, c.Method)
	}
	if got := strings.Join(names, " "); got != "connector.start connector.taskconfigs start open put put put precommit precommit close stop connector.stop" {
		t.Errorf("calls: %s", got)
	}
}
