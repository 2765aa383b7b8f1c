// Embed is a service with connectors inside: it takes orders over HTTP and writes them down, a source connector carries
// them to Kafka, and a sink connector ships what comes from there.
//
//	go run ./examples/embed -brokers localhost:9092
//	curl -d '{"id":"a1","cents":350}' localhost:8080/orders
//	curl localhost:8080/health
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gokconnect/connect/cluster"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "addresses of Kafka brokers, separated by commas")
	listen := flag.String("listen", "localhost:8080", "address for HTTP")
	file := flag.String("outbox", "orders.jsonl", "file for the orders")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := cluster.Config{Brokers: strings.Split(*brokers, ","), GroupID: "orders", Logger: log}
	if err := run(ctx, cfg, *listen, *file); err != nil {
		log.Error("service stopped", "err", err)
		os.Exit(1)
	}
}

// run runs the service until ctx ends.
func run(ctx context.Context, cfg cluster.Config, listen, file string) error {
	s, err := newService(cfg, file, func(_ context.Context, o order) error {
		cfg.Logger.Info("order shipped", "id", o.ID, "cents", o.Cents)
		return nil
	})
	if err != nil {
		return err
	}
	s.token = os.Getenv("OPERATOR_TOKEN")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Addr: listen, Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() {
		defer cancel() // without HTTP the service is of no use
		served <- server.ListenAndServe()
	}()
	err = s.runtime.Run(ctx)

	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(ctx))
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return errors.Join(err, s.outbox.Close())
}
