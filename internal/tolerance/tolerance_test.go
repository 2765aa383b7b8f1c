package tolerance

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect"
)

// gaps runs Retry with a call that always fails with err and returns the waits between the attempts.
func gaps(t *testing.T, ctx context.Context, o *Operator, first, err error) (waits []time.Duration, attempts int, last error) {
	t.Helper()
	before := time.Now()
	attempts, last = o.Retry(ctx, first, func() error {
		waits = append(waits, time.Since(before))
		before = time.Now()
		return err
	})
	return waits, attempts, last
}

func ms(n ...int) []time.Duration {
	out := make([]time.Duration, len(n))
	for i := range n {
		out[i] = time.Duration(n[i]) * time.Millisecond
	}
	return out
}

func TestRetryFollowsJavasSequence(t *testing.T) {
	again := connect.Retriable(errors.New("again"))
	for _, c := range []struct {
		name    string
		timeout time.Duration
		first   error
		then    error
		waits   []time.Duration
	}{
		{"6000 ms", 6 * time.Second, again, again, ms(300, 600, 1200, 2400, 1500)},
		{"300 ms", 300 * time.Millisecond, again, again, ms(300)},
		{"200 ms: the wait is cut to the deadline", 200 * time.Millisecond, again, again, ms(200)},
		{"no time", 0, again, again, nil},
		{"not retriable", time.Minute, errors.New("no"), again, nil},
		{"not retriable any more", time.Minute, again, errors.New("no"), ms(300)},
		{"in the end it works", time.Minute, again, nil, ms(300)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := New(Policy{RetryTimeout: c.timeout})
				waits, attempts, last := gaps(t, t.Context(), o, c.first, c.then)
				if !slices.Equal(waits, c.waits) {
					t.Errorf("waits %v, want %v", waits, c.waits)
				}
				if want := len(c.waits) + 1; attempts != want {
					t.Errorf("%d attempts, want %d", attempts, want)
				}
				if len(c.waits) > 0 && !errors.Is(last, c.then) {
					t.Errorf("last error %v, want %v", last, c.then)
				}
				if got := o.Stats.Retries.Load(); got != int64(len(c.waits)) {
					t.Errorf("%d retries counted, want %d", got, len(c.waits))
				}
			})
		})
	}
}

func TestRetryWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Policy{RetryTimeout: -1, RetryDelayMax: time.Second})
		calls := 0
		began := time.Now()
		_, err := o.Retry(t.Context(), connect.Retriable(errors.New("x")), func() error {
			if calls++; calls == 1000 {
				return nil
			}
			return connect.Retriable(errors.New("x"))
		})
		if err != nil {
			t.Fatal(err)
		}
		// Two waits of the sequence, then any time below the limit.
		if took := time.Since(began); took > 1000*time.Second || took < 100*time.Second {
			t.Errorf("1000 attempts took %v", took)
		}
	})
}

func TestRetryTakesTheErrorsWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Policy{RetryTimeout: 10 * time.Second})
		err := connect.RetryAfter(errors.New("busy"), 4*time.Second)
		waits, _, _ := gaps(t, t.Context(), o, err, err)
		if want := ms(4000, 4000, 2000); !slices.Equal(waits, want) {
			t.Errorf("waits %v, want %v", waits, want)
		}
	})
}

func TestRetryEndsWithTheTask(t *testing.T) {
	stop := errors.New("stop")
	for _, c := range []struct {
		name string
		use  func(o *Operator, ctx context.Context) context.Context
	}{
		{"the call's context", func(_ *Operator, ctx context.Context) context.Context { return ctx }},
		{"Until", func(o *Operator, ctx context.Context) context.Context { o.Until(ctx); return context.Background() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := New(Policy{RetryTimeout: -1})
				ctx, cancel := context.WithCancelCause(t.Context())
				given := c.use(o, ctx)
				time.AfterFunc(100*time.Millisecond, func() { cancel(stop) })
				began := time.Now()
				_, err := o.Retry(given, connect.Retriable(errors.New("x")), func() error { t.Error("another attempt"); return nil })
				if !errors.Is(err, stop) || time.Since(began) != 100*time.Millisecond {
					t.Errorf("after %v: %v, want %v", time.Since(began), err, stop)
				}
				if !o.Interrupted(given) {
					t.Error("not interrupted")
				}
			})
		})
	}
}

type reporterFunc func(*Failure) error

func (f reporterFunc) Report(_ context.Context, x *Failure) error { return f(x) }

func TestFailed(t *testing.T) {
	cause := &connect.DataError{Message: "bad"}
	f := &Failure{Stage: ValueConverter, Class: "C", Err: cause}
	reported := 0
	count := reporterFunc(func(*Failure) error { reported++; return nil })
	o := New(Policy{Tolerate: true}, count)
	if err := o.Failed(t.Context(), f); err != nil || reported != 1 || o.Stats.Skipped.Load() != 1 {
		t.Errorf("tolerated: %v, reported %d times, %d skipped", err, reported, o.Stats.Skipped.Load())
	}
	o = New(Policy{}, count)
	err := o.Failed(t.Context(), f)
	var exceeded *Exceeded
	if !errors.As(err, &exceeded) || !errors.Is(err, cause) || reported != 2 || o.Stats.Skipped.Load() != 0 {
		t.Errorf("not tolerated: %v, reported %d times", err, reported)
	}
	broken := errors.New("broken")
	o = New(Policy{Tolerate: true}, reporterFunc(func(*Failure) error { return broken }), count)
	if err := o.Failed(t.Context(), f); !errors.Is(err, broken) || reported != 3 || o.Stats.Skipped.Load() != 0 {
		t.Errorf("a reporter fails: %v, the other heard %d times", err, reported)
	}
}

// TestGiveUpAtEnd: as in Kafka Connect a record is skipped whose attempts the task's end ends, also where nothing is tolerated.
func TestGiveUpAtEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(Policy{RetryTimeout: -1, GiveUpAtEnd: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		o.Until(ctx)
		_, err := o.Retry(t.Context(), connect.Retriable(errors.New("x")), func() error { return connect.Retriable(errors.New("x")) })
		f := &Failure{Err: err}
		if err := o.Failed(t.Context(), f); err != nil || f.Err.Error() != "x" {
			t.Errorf("Failed returned %v for %v, want nil for x", err, f.Err)
		}
		var exceeded *Exceeded
		if err := o.Failed(t.Context(), &Failure{Err: errors.New("y")}); !errors.As(err, &exceeded) {
			t.Errorf("Failed returned %v for another record, want that nothing is tolerated", err)
		}
	})
}
