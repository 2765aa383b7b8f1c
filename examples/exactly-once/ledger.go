package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gokconnect/connect"
)

// ledgerConfig are the keys of a Ledger.
type ledgerConfig struct {
	Dir string `connect:"dir" importance:"high" validate:"nonempty" doc:"The folder of the files, one for each partition."`
}

// Ledger is a sink connector that writes the values of records to files, each with its offset: what is written and how
// far it goes are the same thing, so that nothing comes twice and nothing is missing.
type Ledger struct{ cfg connect.Config }

// Start takes the configuration, which was validated.
func (l *Ledger) Start(_ context.Context, _ connect.ConnectorContext, cfg connect.Config) error {
	l.cfg = cfg
	return nil
}

// TaskConfigs gives all tasks the same: Kafka divides the partitions between them.
func (l *Ledger) TaskConfigs(_ context.Context, maxTasks int) ([]connect.Config, error) {
	configs := make([]connect.Config, maxTasks)
	for i := range configs {
		configs[i] = maps.Clone(l.cfg)
	}
	return configs, nil
}

// Stop has nothing to release.
func (l *Ledger) Stop(context.Context) error { return nil }

// NewTask returns a task. It may be called on a Ledger that was never started.
func (l *Ledger) NewTask() connect.SinkTask {
	return &ledgerTask{next: map[connect.TopicPartition]int64{}}
}

// ledgerTask writes the records of some partitions.
type ledgerTask struct {
	cfg  ledgerConfig
	next map[connect.TopicPartition]int64 // what the files have to go on with
}

// Start takes the configuration.
func (t *ledgerTask) Start(_ context.Context, _ connect.SinkTaskContext, cfg connect.Config) (err error) {
	t.cfg, err = connect.Bind[ledgerConfig](cfg)
	return errors.Join(err, os.MkdirAll(t.cfg.Dir, 0o777))
}

// CommittedOffsets tells how far the files go. The runtime asks when it gives the task partitions, and begins there.
func (t *ledgerTask) CommittedOffsets(_ context.Context, partitions []connect.TopicPartition) (connect.SinkOffsets, error) {
	found := connect.SinkOffsets{}
	for _, tp := range partitions {
		next, known, err := repair(t.path(tp))
		if err != nil {
			return nil, err
		}
		delete(t.next, tp)
		if known {
			found[tp], t.next[tp] = next, next
		}
	}
	return found, nil
}

// repair cuts off what a crash has left half written, and returns the offset behind the last record.
func repair(path string) (next int64, known bool, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	whole := content[:bytes.LastIndexByte(content, '\n')+1]
	if len(whole) < len(content) {
		if err := os.Truncate(path, int64(len(whole))); err != nil {
			return 0, false, err
		}
	}
	if len(whole) == 0 {
		return 0, false, nil
	}
	last := whole[bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1:]
	number, _, _ := bytes.Cut(last, []byte("\t"))
	offset, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return 0, false, connect.Fatal(fmt.Errorf("%s: the last line does not begin with an offset: %w", path, err))
	}
	return offset + 1, true, nil
}

// Put writes a batch: for each partition at once, so that a crash leaves a beginning of it.
func (t *ledgerTask) Put(_ context.Context, records []connect.SinkRecord) error {
	lines, behind := map[connect.TopicPartition][]byte{}, map[connect.TopicPartition]int64{}
	for i := range records {
		r := &records[i]
		tp := connect.TopicPartition{Topic: r.Topic, Partition: r.Origin.Partition}
		if r.Offset < t.next[tp] {
			continue // it is there: the batch is put again
		}
		lines[tp] = fmt.Appendf(lines[tp], "%d\t%s\n", r.Offset, connect.FormatValue(r.Value))
		behind[tp] = r.Offset + 1
	}
	for tp, text := range lines {
		if err := appendTo(t.path(tp), text); err != nil {
			return connect.Retriable(err)
		}
		t.next[tp] = behind[tp]
	}
	return nil
}

// appendTo appends to a file and makes it durable, or leaves the file as it is.
func appendTo(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		if _, err = f.Write(text); err == nil {
			err = f.Sync()
		}
		if err != nil {
			err = errors.Join(err, f.Truncate(info.Size()))
		}
	}
	return errors.Join(err, f.Close())
}

func (t *ledgerTask) path(tp connect.TopicPartition) string {
	return filepath.Join(t.cfg.Dir, fmt.Sprintf("%s-%d.ledger", tp.Topic, tp.Partition))
}

// Stop has nothing to release.
func (t *ledgerTask) Stop(context.Context) error { return nil }
