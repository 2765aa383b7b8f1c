package pipeline

import (
	"runtime/debug"

	"github.com/gokconnect/connect"
)

// Recover, deferred, turns a panic of plugin code into a *[connect.PanicError] in err. call names what was called.
func Recover(call string, err *error) {
	if v := recover(); v != nil {
		*err = &connect.PanicError{Call: call, Value: v, Stack: debug.Stack()}
	}
}
