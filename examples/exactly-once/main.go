// Exactly-once counts: a source counts transfers into a topic, each once, and a sink writes them to files, each once,
// however often the program is killed.
//
//	go run ./examples/exactly-once -brokers localhost:9092 -dir ledger
//	kill -9 it, start it again, and look for a number that is missing or there twice:
//	cut -f2 ledger/*.ledger | sort -n | uniq -c | awk '$1 != 1 || $2 != NR'
package main

import (
	"context"
	"flag"
	"iter"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

func main() {
	brokers := flag.String("brokers", "localhost:9092", "addresses of Kafka brokers, separated by commas")
	dir := flag.String("dir", "ledger", "folder for the files")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg := cluster.Config{Brokers: strings.Split(*brokers, ","), GroupID: "ledger", Logger: log}
	if err := run(ctx, cfg, *dir); err != nil {
		log.Error("stopped", "err", err)
		os.Exit(1)
	}
}

// counter is a source of the numbers from 1 on, a thousand a second. It goes on exactly behind the number that was stored with
// the last transaction.
var counter = &connect.Partitioned[string, int64]{
	Topic:      "transfers",
	Partitions: func(context.Context) ([]string, error) { return []string{"all"}, nil },
	Read: func(ctx context.Context, _ string, from *int64) iter.Seq2[connect.Emit[int64], error] {
		return func(yield func(connect.Emit[int64], error) bool) {
			var n int64
			if from != nil {
				n = *from
			}
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
				for range 10 {
					n++
					if !yield(connect.Emit[int64]{Record: connect.Record{Value: strconv.FormatInt(n, 10)}, Offset: n}, nil) {
						return
					}
				}
			}
		}
	},
}

// run runs both connectors until ctx ends.
func run(ctx context.Context, cfg cluster.Config, dir string) error {
	cfg.Worker = connect.Config{"exactly.once.source.support": "enabled"}
	rt, err := cluster.New(cfg)
	if err != nil {
		return err
	}
	err = rt.Add(
		cluster.Source{Name: "counter", Connector: counter, Config: connect.Config{"transaction.boundary": "interval", "transaction.boundary.interval.ms": "500"}},
		cluster.Sink{Name: "ledger", Connector: new(Ledger), Topics: []string{"transfers"}, Config: connect.Config{
			"dir": dir, "consumer.override.isolation.level": "read_committed",
		}},
	)
	if err != nil {
		return err
	}
	return rt.Run(ctx)
}
