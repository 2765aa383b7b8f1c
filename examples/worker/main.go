// Worker is a complete Kafka Connect worker.
//
//	worker [-strict] FILE.properties [CONNECTOR.properties ...]
//
// FILE.properties has the keys of Kafka Connect's worker. With offset.storage.file.filename, or with connector files,
// the worker is a standalone one: it runs the connectors of the files on its own and keeps their offsets in that file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/offsets"
	"github.com/gokconnect/connect/plugin/file"
	"github.com/gokconnect/connect/plugin/keystore"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/gokconnect/connect/plugin/tools"
)

func main() {
	strict := flag.Bool("strict", false, "behave as Kafka Connect does also where the defaults depart from it on purpose")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: worker [-strict] FILE.properties [CONNECTOR.properties ...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	tuneGarbageCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log, *strict, flag.Arg(0), flag.Args()[1:]); err != nil {
		log.Error("worker stopped", "err", err)
		os.Exit(1)
	}
}

// run runs the worker until ctx ends.
func run(ctx context.Context, log *slog.Logger, strict bool, workerFile string, connectorFiles []string) error {
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
	cfg.Plugins = new(connect.Registry).MustAdd(file.Plugins()...).MustAdd(tools.Plugins()...).
		MustAdd(mirror.Plugins(mirror.Options{KeyStores: keystore.Java{}})...)
	if name := worker["offset.storage.file.filename"]; name != "" {
		cfg.Offsets, cfg.Coordinator = &offsets.File{Path: name}, cluster.Standalone()
	}
	if cfg.Authenticate, err = authenticator(worker); err != nil {
		return err
	}
	if strict {
		cfg = cluster.KafkaConnectDefaults(cfg)
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
		if _, cerr := rt.Connectors(ctx); cerr == nil { // it has started
			debug.FreeOSMemory() // what starting took is given back
		}
		started <- err
	}()
	served := make(chan error, 1)
	go func() {
		err := rt.ListenAndServe(ctx)
		if err != nil {
			cancel(err)
		}
		served <- err
	}()
	err = rt.Run(ctx)
	cancel(nil)
	return errors.Join(err, <-started, <-served)
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
