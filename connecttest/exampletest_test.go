package connecttest_test

import (
	"context"
	"fmt"
	"io"
	"testing"
)

// exampleTest stands in for the *testing.T that a test has.
type exampleTest struct {
	testing.TB
	cleanups []func()
}

func newT() *exampleTest { return new(exampleTest) }

func (t *exampleTest) Helper()                        {}
func (t *exampleTest) Output() io.Writer              { return io.Discard }
func (t *exampleTest) Context() context.Context       { return context.Background() }
func (t *exampleTest) Cleanup(f func())               { t.cleanups = append(t.cleanups, f) }
func (t *exampleTest) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
func (t *exampleTest) Errorf(format string, a ...any) { fmt.Printf(format+"\n", a...) }
func (t *exampleTest) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}
