package configstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/herder"
)

// Topic is the config topic as a [Writer] sees it.
type Topic interface {
	// Send writes records, in order, and waits until all are acknowledged or one has failed; the others may be written
	// then.
	Send(ctx context.Context, records ...Record) error
	// ReadToEnd returns when all that was in the topic has been applied.
	ReadToEnd(ctx context.Context) error
}

// Transactor writes to the config topic so that only one instance can: each new one fences those before it.
type Transactor interface {
	// Transact writes records in one transaction. After an error nothing but Close follows.
	Transact(ctx context.Context, records ...Record) error
	// Close gives up at once.
	Close()
}

// ErrNotClaimed is a write that only the leader may make, and that has not claimed the right to.
var ErrNotClaimed = errors.New("Cannot produce to config topic without claiming write privileges first")

// PrivilegeError is a transaction that failed, perhaps because another instance leads by now. The right to write was
// given up and has to be claimed again.
type PrivilegeError struct{ Err error }

func (e *PrivilegeError) Error() string {
	return "Failed to perform fencable send to config topic: " + e.Err.Error()
}

func (e *PrivilegeError) Unwrap() error { return e.Err }

// writeTime is how long one operation may take.
const writeTime = 30 * time.Second

// Writer writes what is to be configured, record by record in Kafka Connect's order. It is safe for concurrent use:
// what has several steps is done one at a time.
type Writer struct {
	topic Topic
	claim func(context.Context) (Transactor, error)

	turn       chan struct{} // full while a write of several steps, or a transaction, is under way
	transactor Transactor    // nil when not claimed; whose turn it is reads and writes it
}

// NewWriter returns a writer. With claim, which begins the transactions of a leader, all but target states and levels
// of loggers is written in transactions, and only after Claim. Without, by whomever.
func NewWriter(topic Topic, claim func(context.Context) (Transactor, error)) *Writer {
	return &Writer{topic: topic, claim: claim, turn: make(chan struct{}, 1)}
}

// begin waits for the writer's turn; done ends it.
func (w *Writer) begin(ctx context.Context) (limited context.Context, done func(), err error) {
	limited, cancel := context.WithTimeout(ctx, writeTime)
	select {
	case w.turn <- struct{}{}:
		return limited, func() { <-w.turn; cancel() }, nil
	case <-limited.Done():
		defer cancel()
		return nil, nil, fmt.Errorf("waiting for another write to end: %w", context.Cause(limited))
	}
}

// Claim takes the right to write from whoever has it. The leader calls it when it is elected, and again after a
// *[PrivilegeError]. It does nothing if this writer has the right, as far as it knows, or needs none.
func (w *Writer) Claim(ctx context.Context) error {
	if w.claim == nil {
		return nil
	}
	ctx, done, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if w.transactor != nil {
		return nil
	}
	t, err := w.claim(ctx)
	if err != nil {
		return fmt.Errorf("Failed to create and initialize fencable producer for config topic: %w", err)
	}
	w.transactor = t
	return nil
}

// Release gives up the right to write.
func (w *Writer) Release() {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.release()
}

func (w *Writer) release() {
	if w.transactor != nil {
		w.transactor.Close()
		w.transactor = nil
	}
}

// send writes records as the leader does. It is the caller's turn.
func (w *Writer) send(ctx context.Context, records ...Record) error {
	if w.claim == nil {
		if len(records) == 0 {
			return nil
		}
		return w.topic.Send(ctx, records...)
	}
	if w.transactor == nil {
		return ErrNotClaimed
	}
	if err := w.transactor.Transact(ctx, records...); err != nil {
		w.release()
		return &PrivilegeError{err}
	}
	return nil
}

// failed words an error as Kafka Connect does.
func failed(err error, what string) error {
	var lost *PrivilegeError
	if errors.Is(err, ErrNotClaimed) || errors.As(err, &lost) {
		return err
	}
	return fmt.Errorf("Error %s Kafka: %w", what, err)
}

// put writes records as the leader does, and reads them back.
func (w *Writer) put(ctx context.Context, what string, records ...Record) error {
	ctx, done, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := w.send(ctx, records...); err != nil {
		return failed(err, what)
	}
	if err := w.topic.ReadToEnd(ctx); err != nil {
		return failed(err, what)
	}
	return nil
}

// PutConnector writes the configuration of a connector. With a target, "" is none, it is in that state from the start;
// a new connector is otherwise started. A nil configuration is a *[connect.DataError].
func (w *Writer) PutConnector(ctx context.Context, connector string, config Properties, target herder.Target) error {
	record, err := connectorRecord(connector, config)
	if err != nil {
		return err
	}
	records := []Record{record}
	if target != "" {
		records = []Record{targetRecord(connector, target), record}
	}
	return w.put(ctx, "writing connector configuration to", records...)
}

// DeleteConnector removes a connector with its tasks and its target state. One that is unknown is fine.
func (w *Writer) DeleteConnector(ctx context.Context, connector string) error {
	return w.put(ctx, "removing connector configuration from", Record{Key: connectorKey + connector}, Record{Key: targetKey + connector})
}

// PutTasks writes the configurations of all tasks of a connector. They apply together.
func (w *Writer) PutTasks(ctx context.Context, connector string, configs []Properties) error {
	const tasks, root = "writing task configurations to", "writing root configuration to"
	ctx, done, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := w.topic.ReadToEnd(ctx); err != nil {
		return failed(err, root)
	}
	records := make([]Record, len(configs))
	for i, config := range configs {
		if records[i], err = taskRecord(connect.TaskID{Connector: connector, Task: i}, config); err != nil {
			return err
		}
	}
	if err := w.send(ctx, records...); err != nil {
		return failed(err, tasks)
	}
	if len(configs) > 0 {
		if err := w.topic.ReadToEnd(ctx); err != nil {
			return failed(err, root)
		}
	}
	if err := w.send(ctx, commitRecord(connector, len(configs))); err != nil {
		return failed(err, root)
	}
	if err := w.topic.ReadToEnd(ctx); err != nil {
		return failed(err, root)
	}
	return nil
}

// PutTarget writes the state that a connector is to be in. Any instance may; it is not read back.
func (w *Writer) PutTarget(ctx context.Context, connector string, target herder.Target) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := w.topic.Send(ctx, targetRecord(connector, target)); err != nil {
		return failed(err, "writing target state to")
	}
	return nil
}

// PutFencingCount writes the number of tasks of a connector whose producers the next generation has to fence.
func (w *Writer) PutFencingCount(ctx context.Context, connector string, tasks int) error {
	return w.put(ctx, "writing task count record to", fencingRecord(connector, tasks))
}

// PutSessionKey writes a new session key.
func (w *Writer) PutSessionKey(ctx context.Context, key SessionKey) error {
	value, err := key.encode()
	if err != nil {
		return err
	}
	return w.put(ctx, "writing session key to", Record{sessionKey, value})
}

// PutRestart writes a request to restart a connector.
func (w *Writer) PutRestart(ctx context.Context, r RestartRequested) error {
	return w.put(ctx, "writing "+r.String()+" to", restartRecord(r))
}

// PutTaskRestart writes a request to restart one task. Any instance may; it is not read back.
func (w *Writer) PutTaskRestart(ctx context.Context, id connect.TaskID) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := w.topic.Send(ctx, taskRestartRecord(id)); err != nil {
		return failed(err, "writing restart request for task "+id.String()+" to")
	}
	return nil
}

// PutLoggerLevel writes a level of a logger and those below it for all instances. Any instance may; it is not read back.
// A nil level is a *[connect.DataError].
func (w *Writer) PutLoggerLevel(ctx context.Context, namespace string, level *string) error {
	record, err := loggerRecord(namespace, level)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := w.topic.Send(ctx, record); err != nil {
		return failed(err, "writing logger level to")
	}
	return nil
}
