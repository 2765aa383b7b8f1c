package mirror

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/workerconfig"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Client asks a cluster what MirrorMaker copied to it: which topics, from where, and where consumer groups go on. It is
// for programs that move consumers from one cluster to another, and for those that watch over flows. It is safe for
// concurrent use. What it answers from the names of topics alone is in [Naming].
type Client struct {
	Naming
	opts  []kgo.Opt
	kafka *kgo.Client
}

// NewClient returns a client of the cluster that the options lead to. The policy has to be that of the connectors; nil
// is [DefaultReplicationPolicy]. Nothing is sent yet.
func NewClient(policy ReplicationPolicy, opts ...kgo.Opt) (*Client, error) {
	if policy == nil {
		policy = new(DefaultReplicationPolicy)
	}
	kafka, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("mirror: %w", err)
	}
	return &Client{Naming{policy}, slices.Clone(opts), kafka}, nil
}

// Close closes the client.
func (c *Client) Close() { c.kafka.Close() }

// Topics returns the topics of the cluster, sorted, the internal ones included.
func (c *Client) Topics(ctx context.Context) ([]string, error) {
	topics, err := kadm.NewClient(c.kafka).ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, fmt.Errorf("mirror: list the topics: %w", err)
	}
	return topics.Names(), nil
}

// UpstreamClusters returns the clusters whose heartbeats arrive, directly or by a detour, sorted.
func (c *Client) UpstreamClusters(ctx context.Context) ([]string, error) {
	topics, err := c.Topics(ctx)
	return c.Naming.UpstreamClusters(topics), err
}

// ReplicationHops returns over how many flows the records of a cluster arrive, or -1 if its heartbeats don't.
func (c *Client) ReplicationHops(ctx context.Context, upstreamAlias string) (int, error) {
	topics, err := c.Topics(ctx)
	return c.Naming.ReplicationHops(topics, upstreamAlias), err
}

// TranslateOffsets returns where a consumer group of the cluster sourceAlias goes on here: an offset for each partition
// that it has committed offsets of there and that checkpoints know. It reads the topic of checkpoints up to its present
// end, so a second call costs as much. Without such a topic it fails with an error that wraps
// kerr.UnknownTopicOrPartition.
func (c *Client) TranslateOffsets(ctx context.Context, sourceAlias, group string) (map[TopicPartition]GroupOffset, error) {
	offsets := make(map[TopicPartition]GroupOffset)
	err := c.ReadCheckpoints(ctx, sourceAlias, func(p Checkpoint) {
		if p.Group == group {
			offsets[p.TopicPartition] = GroupOffset{p.Downstream, p.Metadata}
		}
	})
	return offsets, err
}

// ReadCheckpoints calls f with each checkpoint of groups of the cluster sourceAlias, from the first to the present end of
// the topic. A later one of a group and partition takes the place of an earlier one. Records that are none are skipped.
func (c *Client) ReadCheckpoints(ctx context.Context, sourceAlias string, f func(Checkpoint)) error {
	topic := c.CheckpointsTopic(sourceAlias)
	err := c.read(ctx, topic, func(r *kgo.Record) {
		if p, err := DecodeCheckpoint(r.Key, r.Value); err == nil {
			f(p)
		}
	})
	if err != nil {
		return fmt.Errorf("mirror: read the checkpoints in %s: %w", topic, err)
	}
	return nil
}

// LastHeartbeat returns the last heartbeat of a flow that is in one of this cluster's topics of heartbeats, such as
// eu.heartbeats. Its age says how far copies are behind. ok is false if there is none.
func (c *Client) LastHeartbeat(ctx context.Context, topic string, flow Flow) (last Heartbeat, ok bool, err error) {
	err = c.read(ctx, topic, func(r *kgo.Record) {
		if h, err := DecodeHeartbeat(r.Key, r.Value); err == nil && h.SourceAlias == flow.Source && h.TargetAlias == flow.Target {
			last, ok = h, true
		}
	})
	if err != nil {
		err = fmt.Errorf("mirror: read the heartbeats in %s: %w", topic, err)
	}
	return last, ok, err
}

// read calls f with each record of partition 0 of a topic, up to its present end.
func (c *Client) read(ctx context.Context, topic string, f func(*kgo.Record)) error {
	ends, err := kadm.NewClient(c.kafka).ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	end, ok := ends.Lookup(topic, 0)
	switch {
	case !ok:
		return kerr.UnknownTopicOrPartition
	case end.Err != nil:
		return end.Err
	}
	reader, err := kgo.NewClient(slices.Concat(c.opts, fromStart(topic), []kgo.Opt{kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(500 * time.Millisecond)})...)
	if err != nil {
		return err
	}
	defer reader.Close()
	return readToEnd(ctx, reader, topic, f)
}

// ClientConfig is the configuration of Kafka's MirrorClient: the properties of a cluster, and the policy.
type ClientConfig struct {
	Naming Naming
	parsed *connect.ParsedConfig
	given  connect.Config
	env    *environment
}

// ParseClientConfig reads a configuration: bootstrap.servers, the keys of security, the keys of the policy; with
// producer., consumer. or admin. before them they are of one kind of client alone. It fails with a
// *[connect.ConfigError].
func (o Options) ParseClientConfig(cfg connect.Config) (*ClientConfig, error) {
	env := &environment{o}
	keys := append([]connect.ConfigKey{bootstrapKey(), securityKey(env)}, workerconfig.SecurityKeys()...)
	keys = slices.Concat(keys, only(env.commonKeys(), policyClassKey, policySeparatorKey, internalSeparatorKey, forwardingAdminKey).Keys())
	parsed, err := connect.MustConfigDef(keys...).Parse(cfg)
	if err != nil {
		return nil, err
	}
	policy, err := env.policy(parsed.String(policyClassKey), cfg)
	if err != nil {
		return nil, err
	}
	return &ClientConfig{Naming{policy}, parsed, cfg, env}, nil
}

func bootstrapKey() connect.ConfigKey {
	k, _ := clients.Definition("admin").Key("bootstrap.servers")
	k.Default = connect.Required
	return k
}

func securityKey(env *environment) connect.ConfigKey {
	k, _ := only(env.commonKeys(), securityProtocolKey).Key(securityProtocolKey)
	return k
}

// Values returns the properties of a producer, consumer or admin client, with their defaults, as values of their types.
func (c *ClientConfig) Values(kind string) (map[string]any, error) {
	p, err := c.parsed.WithPrefixOverride(kind + ".")
	if err != nil {
		return nil, err
	}
	values := p.Values()
	for key, value := range values {
		if !clusterKeys[key] || value == nil {
			delete(values, key)
		}
	}
	return values, nil
}

// NewClient returns a client with the properties of an admin client.
func (c *ClientConfig) NewClient() (*Client, error) {
	props := make(map[string]string)
	for key := range clusterKeys {
		if value, ok := c.given["admin."+key]; ok {
			props[key] = value
		} else if value, ok := c.given[key]; ok {
			props[key] = value
		}
	}
	o := clients.Options{KeyStores: c.env.KeyStores}
	if c.env.Client != nil {
		o.Base = c.env.Client("")
	}
	opts, _, err := o.Admin(props)
	if err != nil {
		return nil, err
	}
	return NewClient(c.Naming.ReplicationPolicy, opts...)
}
