// Worker is a complete Kafka Connect worker.
//
//	worker FILE.properties [CONNECTOR.properties ...]
//
// FILE.properties has the keys of Kafka Connect's worker. With offset.storage.file.filename, or with connector files,
// the worker is a standalone one: it runs the connectors of the files on its own and keeps their offsets in that file.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/plugin/file"
	"github.com/gokconnect/connect/plugin/keystore"
)

func main() {
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		fmt.Fprintln(os.Stderr, "usage: worker FILE.properties [CONNECTOR.properties ...]")
		os.Exit(2)
	}
	if os.Getenv("GOGC") == "" {
		// A worker makes much short-lived garbage from a small heap: collecting it at twice the live heap, Go's default, takes a
		// third of the CPU time of a busy one. This costs about 25 MiB.
		debug.SetGCPercent(400)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log, os.Args[1], os.Args[2:]); err != nil {
		log.Error("worker stopped", "err", err)
		os.Exit(1)
	}
}

// run runs the worker until ctx ends.
func run(ctx context.Context, log *slog.Logger, workerFile string, connectorFiles []string) error {
	worker, err := cluster.LoadProperties(workerFile)
	if err != nil {
		return err
	}
	cfg, err := cluster.ConfigFromWorker(worker)
	if err != nil {
		return fmt.Errorf("%s: %w", workerFile, err)
	}
	for _, w := range cluster.UnknownWorkerKeys(worker) {
		log.Warn(w, "file", workerFile)
	}
	cfg.Logger = log
	cfg.KeyStores = keystore.Java{}
	cfg.Plugins = new(connect.Registry).MustAdd(file.Plugins()...)
	if name := worker["offset.storage.file.filename"]; name != "" {
		cfg.Offsets = &offsets.File{Path: name}
	}
	rt, err := cluster.New(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	started := make(chan error, 1)
	go func() {
		err := startConnectors(ctx, rt, log, connectorFiles)
		if err != nil {
			cancel(err)
		}
		debug.FreeOSMemory() // what starting took is given back
		started <- err
	}()
	err = rt.Run(ctx)
	cancel(nil)
	return errors.Join(err, <-started)
}

// startConnectors creates the connectors of the files.
func startConnectors(ctx context.Context, rt *cluster.Runtime, log *slog.Logger, files []string) error {
	for _, name := range files {
		cfg, err := cluster.LoadProperties(name)
		if err != nil {
			return err
		}
		if cfg["name"] == "" {
			return fmt.Errorf("%s: a connector needs a name", name)
		}
		if err := rt.PutConnector(ctx, cfg["name"], cfg); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%s: %w", name, err)
		}
		log.Info("connector created", "connector", cfg["name"], "file", name)
	}
	return nil
}
