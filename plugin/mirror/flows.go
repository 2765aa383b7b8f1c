package mirror

import (
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/workerconfig"
)

// Flow is a direction between two clusters, by their aliases.
type Flow struct{ Source, Target string }

// String returns the flow as configurations write it: eu->us.
func (f Flow) String() string { return f.Source + "->" + f.Target }

// Flows is the configuration of MirrorMaker's dedicated mode: clusters, and what flows between them. It says which
// workers run which connectors, and with which configurations; package cluster/mirrormaker runs them. It is read only.
//
// The keys are those of Kafka's connect-mirror-maker: clusters names the aliases; ALIAS.KEY is of a cluster, its clients
// and the worker that writes to it; SOURCE->TARGET.KEY is of the connectors of a flow; KEY alone is of all.
type Flows struct {
	env    *environment
	given  connect.Config
	parsed *connect.ParsedConfig
	names  map[string]bool // the keys of the three connectors
}

const (
	clustersKey     = "clusters"
	internalRESTKey = "dedicated.mode.enable.internal.rest"
	byteArray       = "org.apache.kafka.connect.converters.ByteArrayConverter"
)

// flowsDef defines the keys that are of the whole.
func flowsDef() *connect.ConfigDef {
	worker := workerconfig.DistributedDef()
	keys := []connect.ConfigKey{
		{Name: clustersKey, Type: connect.ConfigList, Default: connect.Required, Importance: connect.High, Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "The aliases of the clusters."},
		{Name: internalRESTKey, Type: connect.ConfigBoolean, Default: false, Importance: connect.High,
			Documentation: "Whether processes that share the work talk to each other over HTTP. Without it, some changes can't reach all of them."},
		{Name: configProvidersKey, Type: connect.ConfigList, Default: "", Importance: connect.Low, Validator: connect.AnyNonDuplicate(true, false),
			Documentation: "Aliases of the config providers that resolve placeholders."},
	}
	for _, name := range []string{
		securityProtocolKey, "listeners", "rest.advertised.host.name", "rest.advertised.port", "rest.advertised.listener", "access.control.allow.origin",
		"access.control.allow.methods", "response.http.headers.config", "ssl.client.auth",
	} {
		if k, ok := worker.Key(name); ok {
			keys = append(keys, k)
		}
	}
	return connect.MustConfigDef(append(keys, workerconfig.SecurityKeys()...)...)
}

// ParseFlows reads a configuration. It fails with a *[connect.ConfigError]. What is of single workers and connectors is
// checked when they start.
func (o Options) ParseFlows(cfg connect.Config) (*Flows, error) {
	parsed, err := flowsDef().Parse(cfg)
	if err != nil {
		return nil, err
	}
	f := &Flows{env: &environment{o}, given: maps.Clone(cfg), parsed: parsed, names: make(map[string]bool)}
	for _, def := range []*connect.ConfigDef{f.env.sourceDef(), f.env.checkpointDef(), f.env.heartbeatDef()} {
		for _, k := range def.Keys() {
			f.names[k.Name] = true
		}
	}
	return f, nil
}

// Clusters returns the aliases, as they are given.
func (f *Flows) Clusters() []string { return f.parsed.List(clustersKey) }

// InternalREST reports whether processes that share the work talk to each other (dedicated.mode.enable.internal.rest).
func (f *Flows) InternalREST() bool { return f.parsed.Bool(internalRESTKey) }

// All returns the flows that there are: those that are enabled, and those whose heartbeats are. The latter is so for every
// pair of clusters unless emit.heartbeats.enabled is false.
func (f *Flows) All() []Flow {
	heartbeats := true
	if text, ok := f.given[emitHeartbeatsKey+enabledSuffix]; ok {
		heartbeats = isTrue(text)
	}
	var flows []Flow
	for _, source := range f.Clusters() {
		for _, target := range f.Clusters() {
			if source == target {
				continue
			}
			flow := Flow{source, target}
			beats := heartbeats
			if text, ok := f.given[flow.String()+"."+emitHeartbeatsKey+enabledSuffix]; ok {
				beats = isTrue(text)
			}
			if beats || isTrue(f.given[flow.String()+"."+enabledKey]) {
				flows = append(flows, flow)
			}
		}
	}
	return flows
}

// To returns the flows into those clusters; none are all.
func (f *Flows) To(clusters ...string) []Flow {
	flows := f.All()
	if len(clusters) == 0 {
		return flows
	}
	return slices.DeleteFunc(flows, func(flow Flow) bool { return !slices.Contains(clusters, flow.Target) })
}

// isTrue is Java's Boolean.parseBoolean.
func isTrue(text string) bool { return strings.EqualFold(text, "true") }

// withPrefix returns the keys that start with the prefix.
func (f *Flows) withPrefix(prefix string) connect.Config {
	found := connect.Config{}
	for key, value := range f.given {
		if strings.HasPrefix(key, prefix) {
			found[key] = value
		}
	}
	return found
}

// stripped returns the keys behind the prefix.
func (f *Flows) stripped(prefix string) connect.Config {
	found := connect.Config{}
	for key, value := range f.given {
		if rest, ok := strings.CutPrefix(key, prefix); ok && rest != "" {
			found[rest] = value
		}
	}
	return found
}

// Cluster returns what is configured of a cluster: its own keys, and, where it has none, those of all that name a cluster
// and its security, each also for the producers, consumers and administrative clients.
func (f *Flows) Cluster(alias string) connect.Config {
	props := f.stripped(alias + ".")
	absent := func(key, value string) {
		if _, ok := props[key]; !ok {
			props[key] = value
		}
	}
	for key := range clusterKeys {
		if value, ok := props[key]; ok {
			absent("producer."+key, value)
			absent("consumer."+key, value)
			absent("admin."+key, value)
		}
	}
	for key := range clusterKeys {
		if value, ok := f.given[key]; ok {
			absent("producer."+key, value)
			absent("consumer."+key, value)
			absent("admin."+key, value)
			absent(key, value)
		}
	}
	return props
}

// Client returns the configuration of a client that asks a cluster what was copied to it. Placeholders are not resolved.
func (f *Flows) Client(alias string) (*ClientConfig, error) {
	cfg := maps.Clone(f.given)
	maps.Copy(cfg, f.Cluster(alias))
	return f.env.ParseClientConfig(cfg)
}

// Worker returns the configuration of the worker that runs a flow, at its target. Placeholders are not resolved.
func (f *Flows) Worker(flow Flow) connect.Config {
	cfg := f.Cluster(flow.Target)
	for _, prefix := range []string{"offset.storage", "config.storage", "status.storage", "key.converter", "value.converter", "header.converter",
		"task", "worker", "replication.policy", configProvidersKey} {
		maps.Copy(cfg, f.withPrefix(prefix))
	}
	for key, value := range map[string]string{
		"client.id": flow.String(), "group.id": flow.Source + "-mm2",
		"offset.storage.topic": "mm2-offsets." + flow.Source + ".internal",
		"status.storage.topic": "mm2-status." + flow.Source + ".internal",
		"config.storage.topic": "mm2-configs." + flow.Source + ".internal",
		"key.converter":        byteArray, "value.converter": byteArray, "header.converter": byteArray,
	} {
		if _, ok := cfg[key]; !ok {
			cfg[key] = value
		}
	}
	return cfg
}

// Connectors are the classes that run in every flow, by the names that they are given.
var Connectors = map[string]string{
	"MirrorSourceConnector": SourceClass, "MirrorCheckpointConnector": CheckpointClass, "MirrorHeartbeatConnector": HeartbeatClass,
}

// Connector returns the configuration of one of the three connectors of a flow, by its name in [Connectors]. Placeholders
// are not resolved: the worker does it.
func (f *Flows) Connector(flow Flow, name string) connect.Config {
	cfg := connect.Config{}
	for key, value := range f.given {
		if f.names[key] {
			cfg[key] = value
		}
	}
	maps.Copy(cfg, f.withPrefix(configProvidersKey))
	maps.Copy(cfg, f.withPrefix("replication.policy"))
	for side, alias := range map[string]string{sourceSide: flow.Source, targetSide: flow.Target} {
		for key, value := range f.Cluster(alias) {
			if strings.HasPrefix(key, "consumer") || strings.HasPrefix(key, "producer") || strings.HasPrefix(key, "admin") {
				cfg[side+"."+key] = value
			} else {
				cfg[side+".cluster."+key] = value
			}
		}
	}
	absent := func(key, value string) {
		if _, ok := cfg[key]; !ok {
			cfg[key] = value
		}
	}
	absent(nameKey, name)
	absent("connector.class", Connectors[name])
	absent(sourceAliasKey, flow.Source)
	absent(targetAliasKey, flow.Target)
	maps.Copy(cfg, f.stripped(flow.String()+"."))
	absent(enabledKey, "false")
	return cfg
}

// Options returns what the program brings, as it was given to [Options.ParseFlows].
func (f *Flows) Options() Options { return f.env.Options }

// Property returns a key of the whole, such as listeners, and whether it is given.
func (f *Flows) Property(key string) (value string, ok bool) {
	value, ok = f.given[key]
	return value, ok
}

// Properties returns the given keys that start with the prefix.
func (f *Flows) Properties(prefix string) connect.Config { return f.withPrefix(prefix) }
