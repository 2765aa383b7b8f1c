package connecttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
)

// The keys of the configurations of a [FakeSource] and a [FakeSink] that make its calls fail. A value is a list of
// calls, separated by commas: "poll" is every call of Poll, "poll#3" the third of a connector or task. The calls are
//
//   - of a connector start, taskconfigs, stop; prefixed so, to tell them from those of a task: connector.start
//   - of a source task start, poll, commitrecord, commit, stop
//   - of a sink task start, put, precommit, open, close, stop
const (
	// FailOn names the calls that return an error.
	FailOn = "fail.on"
	// FailWith says what kind of error: retriable, data, fatal or, by default, a plain one.
	FailWith = "fail.with"
	// BlockOn names the calls that block until their context is done, and then return its error.
	BlockOn = "block.on"
	// PanicOn names the calls that panic.
	PanicOn = "panic.on"
)

// ErrScripted is what a call that was told to fail returns, or wraps.
var ErrScripted = errors.New("scripted failure")

// scriptable are the calls that a script can name.
var scriptable = []string{
	"connector.start", "connector.taskconfigs", "connector.stop",
	"start", "poll", "commitrecord", "commit", "put", "precommit", "open", "close", "stop",
}

// faults are the scripted faults of one connector or task.
type faults struct {
	mu     sync.Mutex
	counts map[string]int
	fail   map[string]bool
	block  map[string]bool
	panics map[string]bool
	with   string
	wrong  error // what the script asks for and there is not
}

func newFaults(cfg connect.Config) *faults {
	var wrong error
	set := func(key string) map[string]bool {
		m := make(map[string]bool)
		for call := range strings.SplitSeq(cfg[key], ",") {
			call = strings.ToLower(strings.TrimSpace(call))
			if name, _, _ := strings.Cut(call, "#"); name != "" && !slices.Contains(scriptable, name) {
				wrong = connect.InvalidValue(key, cfg[key], fmt.Sprintf("there is no call %q, only %s", name, strings.Join(scriptable, ", ")))
			}
			m[call] = true
		}
		return m
	}
	if with := cfg[FailWith]; with != "" && !slices.Contains([]string{"retriable", "data", "fatal"}, with) {
		wrong = connect.InvalidValue(FailWith, with, "it is retriable, data or fatal")
	}
	f := &faults{
		counts: make(map[string]int),
		fail:   set(FailOn),
		block:  set(BlockOn),
		panics: set(PanicOn),
		with:   cfg[FailWith],
	}
	f.wrong = wrong
	return f
}

// at counts a call, and does to it what the script says.
func (f *faults) at(ctx context.Context, call string) error {
	if f.wrong != nil {
		return f.wrong // else a test with a misspelled script would find nothing
	}
	f.mu.Lock()
	f.counts[call]++
	nth := call + "#" + strconv.Itoa(f.counts[call])
	f.mu.Unlock()
	meant := func(m map[string]bool) bool { return m[call] || m[nth] }
	if meant(f.panics) {
		panic("scripted panic in " + nth)
	}
	if meant(f.block) {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if !meant(f.fail) {
		return nil
	}
	err := fmt.Errorf("%s: %w", nth, ErrScripted)
	switch f.with {
	case "retriable":
		return connect.Retriable(err)
	case "data":
		return &connect.DataError{Message: nth, Err: ErrScripted}
	case "fatal":
		return connect.Fatal(err)
	}
	return err
}
