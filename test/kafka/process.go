package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// startTimeout is how long a program may take until it is ready. A machine with two cores and a load of thirty took more than two
// minutes for a broker that recovers.
const startTimeout = 5 * time.Minute

// stopTimeout is how long a program may take to end after SIGTERM, before it is killed.
const stopTimeout = 30 * time.Second

// Process is a program that is started, stopped, killed and started again. It dies with the program that started it, where
// the system can do that. Its methods are not safe for concurrent use.
type Process struct {
	Dir   string // its state; output is appended to Dir/log
	Argv  []string
	Ready func(ctx context.Context) error // asked until it returns nil; nil means ready at once

	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts the program and waits until it is ready. One that ends before fails, with the end of its log.
func (p *Process) Start() error {
	if p.Running() {
		return fmt.Errorf("%s runs already", p.Argv[0])
	}
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd, done := exec.Command(p.Argv[0], p.Argv[1:]...), make(chan struct{})
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.Dir, log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.done = cmd, done
	go func() {
		cmd.Wait() // how it ended is in cmd.ProcessState
		close(done)
	}()
	if p.Ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	last := errors.New("never asked")
	err = Poll(ctx, func() bool {
		if !p.Running() {
			return true
		}
		last = p.Ready(ctx)
		return last == nil
	})
	switch {
	case !p.Running():
		return fmt.Errorf("%s ended (%v):\n%s", p.name(), cmd.ProcessState, p.Tail())
	case err != nil:
		p.Kill()
		return fmt.Errorf("%s is not ready after %v (%w):\n%s", p.name(), startTimeout, last, p.Tail())
	}
	return nil
}

func (p *Process) name() string { return filepath.Base(p.Argv[0]) + " in " + p.Dir }

func (p *Process) logPath() string { return filepath.Join(p.Dir, "log") }

// Log returns everything that the program has printed, in all its lives.
func (p *Process) Log() string {
	b, _ := os.ReadFile(p.logPath()) // a log that is missing is an empty one
	return string(b)
}

// Tail returns the end of the log.
func (p *Process) Tail() string {
	b := []byte(p.Log())
	if cut := len(b) - 4000; cut > 0 {
		b = b[cut:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	return string(b)
}

// Running reports whether the program runs.
func (p *Process) Running() bool {
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Pid returns the program's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Stop ends the program with SIGTERM and waits for it. It fails if the program had to be killed.
func (p *Process) Stop() error {
	if !p.Running() {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s did not end within %v of SIGTERM:\n%s", p.name(), stopTimeout, p.Tail())
	}
}

// Kill ends the program with SIGKILL and waits for it.
func (p *Process) Kill() {
	if p.Running() {
		p.cmd.Process.Kill() // fails only for a process that has ended
		<-p.done
	}
}

// Wait waits for the program to end by itself and returns how it did.
func (p *Process) Wait(ctx context.Context) (*os.ProcessState, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s still runs: %w", p.name(), ctx.Err())
	}
}

// Poll calls done every 50 ms until it returns true, or ctx ends.
func Poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// lastPort is the port that was given out last. Programs that run side by side begin at different places.
var lastPort atomic.Int32

// FreePorts returns n TCP ports of 127.0.0.1 that nobody listens on, and that were not given out before: what they are for may
// not have been started yet. They are below those that systems give to outgoing connections, so that a broker that was killed
// finds its port free.
func FreePorts(n int) ([]int, error) {
	const first, span = 20000, 12000
	lastPort.CompareAndSwap(0, int32(os.Getpid()%1000*12))
	var ports []int
	for range span {
		port := first + int(lastPort.Add(1))%span
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("no free ports")
}
