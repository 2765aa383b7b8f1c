package worker

import "time"

// RestartClass is a class of errors with a policy of its own.
type RestartClass struct {
	Match  func(error) bool
	Policy RestartPolicy // its Classes are ignored
}

// budget counts the failures in a row of a task, each class of errors by itself.
type budget struct {
	policy   RestartPolicy
	failures []int // of the classes in their order, and of what belongs to none
}

func newBudget(p RestartPolicy) *budget {
	return &budget{policy: p, failures: make([]int, len(p.Classes)+1)}
}

// fail counts a failure after a run of that length: how many there were in a row, and the wait before the restart if there
// is to be one.
func (b *budget) fail(err error, ran time.Duration) (failures int, wait time.Duration, restart bool) {
	for i := range b.failures {
		if ran >= b.of(i).Healthy {
			b.failures[i] = 0
		}
	}
	class := b.class(err)
	p := b.of(class)
	b.failures[class]++
	failures = b.failures[class]
	if !p.helps(err) || failures > p.Max {
		return failures, 0, false
	}
	return failures, p.delay(failures), true
}

func (b *budget) of(class int) RestartPolicy {
	if class < len(b.policy.Classes) {
		return b.policy.Classes[class].Policy
	}
	return b.policy
}

func (b *budget) class(err error) int {
	for i, c := range b.policy.Classes {
		if matches(c.Match, err) {
			return i
		}
	}
	return len(b.policy.Classes)
}

// matches asks the program's function; one that panics does not match.
func matches(f func(error) bool, err error) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return f != nil && f(err)
}
