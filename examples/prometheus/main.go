// Prometheus is a service whose connectors Prometheus watches, and dashboard.json what Grafana shows of them.
//
//	cd examples/prometheus && go run . [-brokers HOST:PORT,…] [-listen ADDRESS]
//
// Without -brokers the Kafka is part of the program and forgets all when it ends. Let Prometheus scrape ADDRESS/metrics,
// and import dashboard.json into Grafana: it asks for the data source.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gokconnect/connect/cluster"
	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	brokers := flag.String("brokers", "", "addresses of Kafka brokers; default: a Kafka in memory")
	listen := flag.String("listen", "localhost:9464", "address for Prometheus")
	group := flag.String("group", "prometheus-example", "name of the cluster of instances")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *brokers, *listen, *group); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, brokers, listen, group string) error {
	addresses := strings.Split(brokers, ",")
	if brokers == "" {
		kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			return err
		}
		defer kafka.Close()
		addresses = kafka.ListenAddrs()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	rt, metrics, err := newService(cluster.Config{Brokers: addresses, GroupID: group, Logger: log}, 100*time.Millisecond, func(int) {})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	server := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		log.Info("Prometheus may scrape", "url", "http://"+listen+"/metrics")
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
		}
	}()
	defer server.Close()
	err = rt.Run(ctx)
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}
