package kafka

import "syscall"

// dieWithParent makes the system kill a program whose parent has died.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
