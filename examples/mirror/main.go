// Mirror copies between Kafka clusters, as Kafka's connect-mirror-maker does.
//
//	mirror FILE.properties [--clusters ALIAS[,ALIAS ...]]
//
// FILE.properties names the clusters and what flows between them. --clusters limits the flows to those into the clusters
// that are near this process. Run several processes with the same file: they share the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gokconnect/connect/cluster"
	"github.com/gokconnect/connect/cluster/mirrormaker"
	"github.com/gokconnect/connect/plugin/keystore"
	"github.com/gokconnect/connect/plugin/mirror"
)

func main() {
	file, clusters, err := arguments(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "mirror: %v\nusage: mirror FILE.properties [--clusters ALIAS[,ALIAS ...]]\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log, file, clusters); err != nil {
		log.Error("mirror stopped", "err", err)
		os.Exit(1)
	}
}

// run runs the flows of a file until ctx ends.
func run(ctx context.Context, log *slog.Logger, file string, clusters []string) error {
	properties, err := cluster.LoadProperties(file)
	if err != nil {
		return err
	}
	flows, err := mirror.Options{KeyStores: keystore.Java{}}.ParseFlows(properties)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	maker, err := mirrormaker.New(mirrormaker.Config{Flows: flows, Clusters: clusters, Logger: log})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	log.Info("flows", "flows", fmt.Sprint(maker.Flows()))
	return maker.Run(ctx)
}

// arguments reads the command line in the form of Kafka's command: clusters may be separated by blanks as well as commas.
func arguments(args []string) (file string, clusters []string, err error) {
	listing := false
	for _, arg := range args {
		name, value, isSet := strings.Cut(arg, "=")
		switch {
		case name == "--clusters" || name == "-clusters":
			listing = true
			if isSet {
				clusters = append(clusters, split(value)...)
			}
		case strings.HasPrefix(arg, "-"):
			return "", nil, fmt.Errorf("there is no option %s", arg)
		case listing && (file != "" || len(clusters) == 0):
			clusters = append(clusters, split(arg)...)
		case file == "":
			file, listing = arg, false
		default:
			return "", nil, fmt.Errorf("%s is one file too many", arg)
		}
	}
	switch {
	case file == "":
		return "", nil, errors.New("there is no FILE.properties")
	case listing && len(clusters) == 0:
		return "", nil, errors.New("--clusters needs the alias of a cluster")
	}
	return file, clusters, nil
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
