package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// connectorGrace is how long a connector may take to stop; it has no key.
const connectorGrace = 5 * time.Second

// The converters of a runtime that names none.
const (
	defaultConverter       = "org.apache.kafka.connect.storage.StringConverter"
	defaultHeaderConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
)

// workerConfig returns the worker's configuration by Kafka Connect's keys: what stands in Config.Worker, what has a
// field, and what is required there and has a default here.
func workerConfig(cfg Config) connect.Config {
	all := maps.Clone(cfg.Worker)
	if all == nil {
		all = connect.Config{}
	}
	all["bootstrap.servers"], all["group.id"] = strings.Join(cfg.Brokers, ","), cfg.GroupID
	for key, value := range map[string]string{
		"key.converter":        defaultConverter,
		"value.converter":      defaultConverter,
		"config.storage.topic": cfg.GroupID + "-configs",
		"offset.storage.topic": cfg.GroupID + "-offsets",
		"status.storage.topic": cfg.GroupID + "-status",
	} {
		if _, ok := all[key]; !ok {
			all[key] = value
		}
	}
	return all
}

// resolveWorker is workerConfig with the placeholders resolved, by the providers that it names itself.
func resolveWorker(reg *connect.Registry, cfg Config, hidden *secrets) (connect.Config, error) {
	all := workerConfig(cfg)
	if len(cfg.Providers) == 0 && len(configprovider.Names(all)) == 0 {
		return all, nil
	}
	t, err := configprovider.Configure(reg, all)
	if err != nil {
		return nil, fmt.Errorf("cluster.Config: Worker: %w", err)
	}
	t.Lend(cfg.Providers)
	r, err := t.Transform(context.Background(), all)
	if err = errors.Join(err, t.Close()); err != nil {
		return nil, fmt.Errorf("cluster.Config: Worker: %w", err)
	}
	hidden.learn(r.Resolved)
	return r.Config, nil
}

func parseWorker(reg *connect.Registry, cfg connect.Config) (*workerconfig.Distributed, error) {
	s, err := workerconfig.ParseDistributed(reg, cfg)
	if err != nil {
		return nil, fmt.Errorf("cluster.Config: Worker: %w", err)
	}
	return s, nil
}
