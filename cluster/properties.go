package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// LoadProperties reads a Java properties file, such as those of Kafka Connect's workers and connectors.
func LoadProperties(path string) (connect.Config, error) {
	cfg, err := configprovider.LoadProperties(path)
	if err != nil {
		return nil, fmt.Errorf("properties file %s: %w", path, err)
	}
	return cfg, nil
}

// ConfigFromWorker returns the Config of a Kafka Connect worker's properties: bootstrap.servers and group.id become
// fields, everything else is Worker. A standalone worker has no group.id; its GroupID is connect-standalone.
func ConfigFromWorker(worker connect.Config) (Config, error) {
	cfg := Config{Worker: maps.Clone(worker), GroupID: strings.TrimSpace(worker["group.id"])}
	for b := range strings.SplitSeq(worker["bootstrap.servers"], ",") {
		if b = strings.TrimSpace(b); b != "" {
			cfg.Brokers = append(cfg.Brokers, b)
		}
	}
	if len(cfg.Brokers) == 0 {
		return cfg, connect.ConfigErrorf("bootstrap.servers", "Missing required configuration \"bootstrap.servers\" which has no default value.")
	}
	if cfg.GroupID == "" {
		cfg.GroupID = "connect-standalone"
	}
	return cfg, nil
}

// UnknownWorkerKeys returns a sentence for each key of a worker's properties that has no meaning there, with the key that may
// have been meant.
func UnknownWorkerKeys(worker connect.Config) []string {
	known := knownWorkerKeys()
	var warnings []string
	for _, key := range slices.Sorted(maps.Keys(worker)) {
		if slices.Contains(known, key) || hasWorkerPrefix(key) {
			continue
		}
		w := fmt.Sprintf("the worker has no key %q", key)
		if near, ok := clients.Nearest(key, known); ok {
			w += fmt.Sprintf(", did you mean %q?", near)
		}
		warnings = append(warnings, w)
	}
	return warnings
}

// knownWorkerKeys returns the keys that have a meaning of their own.
func knownWorkerKeys() []string {
	known := clients.Names(clients.KindProducer | clients.KindConsumer | clients.KindAdmin)
	for _, def := range []*connect.ConfigDef{workerconfig.DistributedDef(), workerconfig.StandaloneDef()} {
		for _, k := range def.Keys() {
			known = append(known, k.Name)
		}
	}
	return known
}

// hasWorkerPrefix reports whether a key stands for a part that has keys of its own.
func hasWorkerPrefix(key string) bool {
	for _, p := range []string{"producer.", "consumer.", "admin.", "config.providers.", "key.converter.", "value.converter.", "header.converter.",
		"listeners.https.", "admin.listeners.https.", "metrics.context.", "config.storage.", "offset.storage.", "status.storage."} {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}
