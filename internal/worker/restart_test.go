package worker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

// TestRestartBudget: each class has its own count, which a healthy run ends; no class mends what no restart mends.
func TestRestartBudget(t *testing.T) {
	busy, closed := errors.New("busy"), errors.New("closed")
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	b := newBudget(RestartPolicy{Max: 1, First: time.Second, Limit: time.Minute, Healthy: time.Minute, Classes: []RestartClass{
		{Match: func(error) bool { panic("boom") }, Policy: RestartPolicy{Max: 100}},
		{Policy: RestartPolicy{Max: 100}},
		{Match: is(busy), Policy: RestartPolicy{Max: 2, First: time.Hour, Limit: time.Hour, Healthy: time.Hour}},
		{Match: is(closed), Policy: RestartPolicy{Healthy: time.Minute}},
	}})
	for i, c := range []struct {
		err      error
		ran      time.Duration
		failures int
		wait     time.Duration
		restart  bool
	}{
		{errTest, 0, 1, time.Second, true},
		{fmt.Errorf("put: %w", busy), 0, 1, time.Hour, true},
		{busy, 0, 2, time.Hour, true},
		{errTest, 0, 2, 0, false},
		{errTest, time.Minute, 1, time.Second, true},
		{busy, time.Minute, 3, 0, false},
		{busy, time.Hour, 1, time.Hour, true},
		{connect.Fatal(busy), 0, 2, 0, false},
		{closed, 0, 1, 0, false},
	} {
		failures, wait, restart := b.fail(c.err, c.ran)
		if failures != c.failures || restart != c.restart || wait < c.wait || wait > c.wait+c.wait/10 {
			t.Errorf("%d: %v: %d failures, wait %v, restart %v; want %d, %v, %v", i, c.err, failures, wait, restart, c.failures, c.wait, c.restart)
		}
	}
}
