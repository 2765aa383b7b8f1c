package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
)

// outbox is a file with an order per line. In a service with a database it is a table.
type outbox struct {
	file *os.File

	mu    sync.Mutex
	added chan struct{} // closed and replaced when a line was added
}

func openOutbox(name string) (*outbox, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &outbox{file: f, added: make(chan struct{})}, nil
}

func (o *outbox) Close() error { return o.file.Close() }

// add writes an order down.
func (o *outbox) add(order order) error {
	line, err := json.Marshal(order)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := o.file.Sync(); err != nil {
		return err
	}
	close(o.added)
	o.added = make(chan struct{})
	return nil
}

// more returns a channel that is closed when a line was added after the call.
func (o *outbox) more() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.added
}

// read is the source: the orders behind a position in the file, and then those that are added, until ctx ends.
func (o *outbox) read(ctx context.Context, _ string, from *int64) iter.Seq2[connect.Emit[int64], error] {
	return func(yield func(connect.Emit[int64], error) bool) {
		var at int64
		if from != nil {
			at = *from
		}
		for ctx.Err() == nil {
			more := o.more() // before reading, so that nothing is missed
			lines := bufio.NewReader(io.NewSectionReader(o.file, at, 1<<62))
			for {
				line, err := lines.ReadString('\n')
				if errors.Is(err, io.EOF) {
					break // what comes behind the last line end is being written
				}
				if err != nil {
					yield(connect.Emit[int64]{}, connect.Retriable(err))
					return
				}
				at += int64(len(line))
				if !yield(connect.Emit[int64]{Record: connect.Record{Value: strings.TrimSuffix(line, "\n")}, Offset: at}, nil) {
					return
				}
			}
			select {
			case <-more:
			case <-ctx.Done():
			}
		}
	}
}
