//go:build !linux

package kafka

import "syscall"

// dieWithParent has no means to do so on this system: a test that is killed leaves its programs behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
