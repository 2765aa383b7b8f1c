package offsets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javamap"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// File is a [Store] in one file, for a single instance: the offset.storage.file.filename of Kafka Connect's standalone
// worker, which can go on with it and the other way round. The whole file is written anew with every Set, beside the
// old one which it then replaces, so that it is always whole. A File must be started.
type File struct {
	// Path of the file. A missing or empty one holds no offsets; its directory must exist.
	Path string
	// OnError is told of what was found in the file when it was read and can't be used. Nil ignores it.
	OnError func(error)

	held held
}

// Start implements [Starter]: it reads the file. A file that is something else is an error, and not touched. One that
// ends too early holds no offsets, as Kafka Connect has it, and is reported to OnError.
func (f *File) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	report := f.OnError
	if report == nil {
		report = func(error) {}
	}
	content, err := os.ReadFile(f.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the offsets file: %w", err)
	}
	f.held.mu.Lock()
	defer f.held.mu.Unlock()
	f.held.table = offsetcodec.Table{KeepNulls: true}
	if len(content) == 0 {
		return nil
	}
	entries, err := javamap.Decode(content)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		report(fmt.Errorf("the offsets file %s is not whole: it is taken for empty", f.Path))
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the offsets file %s: %w", f.Path, err)
	}
	for _, e := range entries {
		if err := f.held.table.Apply(offsetcodec.Record(e), 0); err != nil {
			report(fmt.Errorf("an entry of the offsets file %s was skipped: %w", f.Path, err))
		}
	}
	return nil
}

// Get implements [Store].
func (f *File) Get(ctx context.Context, connector string, partitions []connect.Fields) ([]connect.Fields, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f.held.get(connector, partitions)
}

// List implements [Store].
func (f *File) List(ctx context.Context, connector string) ([]connect.PartitionOffset, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f.held.list(connector), nil
}

// Set implements [Store].
func (f *File) Set(ctx context.Context, connector string, entries []connect.PartitionOffset) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.held.mu.Lock()
	defer f.held.mu.Unlock()
	records, err := f.held.table.Encode(connector, entries)
	if err != nil {
		return err
	}
	for _, r := range records {
		_ = f.held.table.Apply(r, 0) // what Encode returns is no garbage
	}
	all := f.held.table.Records()
	out := make([]javamap.Entry, len(all))
	for i, r := range all {
		out[i] = javamap.Entry(r)
	}
	// When this fails the new offsets are held but not in the file. The caller repeats, with these or newer ones.
	if err := replaceFile(f.Path, javamap.Encode(out)); err != nil {
		return fmt.Errorf("writing the offsets file: %w", err)
	}
	return nil
}

// replaceFile writes a file that is either the old or the new one, whatever happens.
func replaceFile(path string, content []byte) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(content); err != nil {
		return err
	}
	if err = tmp.Chmod(mode); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	if d, err := os.Open(dir); err == nil { // the rename is on disk only with its directory
		defer d.Close()
		_ = d.Sync() // not every file system can
	}
	return nil
}
