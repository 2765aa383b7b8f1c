//go:build unix

package file

import "syscall"

// openFlags make opening a named pipe return before somebody writes to it.
const openFlags = syscall.O_NONBLOCK
