// Custom has a source connector, a sink connector and a transformation of its own, each in a file with its tests, and
// runs them as Kafka Connect would: from configurations that name them.
//
//	go run ./examples/custom -brokers localhost:9092 -from http://localhost:8000/events -to http://localhost:8001/
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// Plugins returns what this program adds to the built-in plugins. A connector that others are to use is a package of its
// own with such a function.
func Plugins() []connect.Plugin {
	return []connect.Plugin{
		connect.SourcePlugin{
			PluginInfo: connect.PluginInfo{Class: "example.Feed", Version: "1.0", Config: connect.MustConfigDefOf[feedConfig]()},
			New:        func() connect.SourceConnector { return new(Feed) },
		},
		connect.SinkPlugin{
			PluginInfo: connect.PluginInfo{Class: "example.Post", Version: "1.0", Config: connect.MustConfigDefOf[postConfig]()},
			New:        func() connect.SinkConnector { return new(Post) },
		},
		connect.TransformationPlugin{
			PluginInfo: connect.PluginInfo{Class: "example.Redact", Version: "1.0", Config: connect.MustConfigDefOf[redactConfig]()},
			New:        newRedact,
		},
	}
}

func main() {
	brokers := flag.String("brokers", "localhost:9092", "addresses of Kafka brokers, separated by commas")
	from := flag.String("from", "http://localhost:8000/events", "URL of the feed")
	to := flag.String("to", "http://localhost:8001/", "URL to post to")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, log, strings.Split(*brokers, ","), *from, *to); err != nil {
		log.Error("stopped", "err", err)
		os.Exit(1)
	}
}

// run runs both connectors until ctx ends.
func run(ctx context.Context, log *slog.Logger, brokers []string, from, to string) error {
	rt, err := cluster.New(cluster.Config{Brokers: brokers, GroupID: "custom", Logger: log, Plugins: new(connect.Registry).MustAdd(Plugins()...)})
	if err != nil {
		return err
	}
	if err := rt.Add(connectors(from, to)...); err != nil {
		return err
	}
	return rt.Run(ctx)
}

// connectors are the configurations of the connectors. They could as well come from files.
func connectors(from, to string) []cluster.Declaration {
	return []cluster.Declaration{
		cluster.Configured{Name: "feed", Config: connect.Config{
			"connector.class":          "Feed",
			"url":                      from,
			"topic":                    "events",
			"transforms":               "cards",
			"transforms.cards.type":    "Redact",
			"transforms.cards.pattern": `\d{4}-\d{4}-\d{4}-\d{4}`,
		}},
		cluster.Configured{Name: "post", Config: connect.Config{
			"connector.class": "example.Post",
			"topics":          "events",
			"url":             to,
			"tasks.max":       "2",
		}},
	}
}
