package clients

import (
	"math"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ConsumerExtra is what of a consumer's properties its user has to see to.
type ConsumerExtra struct {
	// Group are the options of a member of the consumer group. A client that reads partitions directly leaves them out.
	Group []kgo.Opt
	// GroupID is the group, or empty.
	GroupID string
	// MaxPollRecords is the size of a batch (max.poll.records).
	MaxPollRecords int
	// MaxPollInterval is how long the user of a batch may take (max.poll.interval.ms). franz-go does not watch over it.
	MaxPollInterval time.Duration
	// FailOnReset says that auto.offset.reset is none: an error OFFSET_OUT_OF_RANGE, or that there is no committed
	// offset, must end the task. franz-go returns it from every poll, without a pause.
	FailOnReset bool
	// MetadataMaxAge is how old what is known of topics may become (metadata.max.age.ms).
	MetadataMaxAge time.Duration
}

// Bounds of a consumer's memory whose properties are not set: franz-go, like Kafka, would take 50 MiB from each broker.
const (
	defaultFetchMaxBytes = 512 << 10
	maxConcurrentFetches = 2
	leastDecompressBytes = 128 << 20
)

// Consumer returns the options of a consumer with the properties. The error is a *[connect.ConfigError], in Kafka's words
// where it is about what Kafka checks too.
func (o Options) Consumer(props map[string]string) ([]kgo.Opt, ConsumerExtra, Warnings, error) {
	p, err := parse(KindConsumer, props)
	if err != nil {
		return nil, ConsumerExtra{}, nil, err
	}
	opts, extra, err := o.consumer(p)
	if err != nil {
		return nil, ConsumerExtra{}, nil, err
	}
	return opts, extra, p.finish(), nil
}

func (o Options) consumer(p *properties) ([]kgo.Opt, ConsumerExtra, error) {
	extra := ConsumerExtra{
		GroupID:         p.String("group.id"),
		MaxPollRecords:  p.Int("max.poll.records"),
		MaxPollInterval: millis(p, "max.poll.interval.ms"),
		FailOnReset:     p.String("auto.offset.reset") == "none",
		MetadataMaxAge:  min(max(millis(p, "metadata.max.age.ms"), 10*time.Millisecond), time.Hour),
	}
	opts, err := o.network(p)
	if err != nil {
		return nil, extra, err
	}
	maxBytes := int32(defaultFetchMaxBytes)
	if p.isGiven("fetch.max.bytes") {
		maxBytes = int32(clampInt(p, "fetch.max.bytes", 1, 1<<30))
	}
	start, reset := offsets(p.String("auto.offset.reset"))
	opts = append(opts,
		kgo.ConsumeStartOffset(start),
		kgo.ConsumeResetOffset(reset),
		kgo.FetchMaxWait(clamp(p, "fetch.max.wait.ms", 10*time.Millisecond, math.MaxInt32*time.Millisecond)),
		kgo.FetchMinBytes(int32(p.Int("fetch.min.bytes"))),
		kgo.FetchMaxBytes(maxBytes),
		kgo.FetchMaxPartitionBytes(int32(clampInt(p, "max.partition.fetch.bytes", 1, 1<<30))),
		kgo.BrokerMaxReadBytes(max(maxBytes, 100<<20)),
		kgo.MaxConcurrentFetches(maxConcurrentFetches),
		kgo.MaxDecompressBatchBytes(int(min(max(4*int64(maxBytes), leastDecompressBytes), math.MaxInt32))),
		kgo.RetryTimeout(max(millis(p, "default.api.timeout.ms"), time.Millisecond)),
		kgo.RequestRetries(math.MaxInt32), // bounded by the time above, as in Kafka's clients
	)
	if p.String("isolation.level") == "read_committed" {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if rack := p.String("client.rack"); rack != "" {
		opts = append(opts, kgo.Rack(rack))
	}
	if !p.Bool("check.crcs") {
		opts = append(opts, kgo.DisableFetchCRCValidation())
	}
	if p.Bool("allow.auto.create.topics") {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	if p.isGiven("enable.auto.commit") && p.Bool("enable.auto.commit") {
		p.warn("enable.auto.commit", "enable.auto.commit is false: offsets are committed when a task is done with the records")
	}
	if extra.Group, err = groupOptions(p, extra); err != nil {
		return nil, extra, err
	}
	opts, err = o.finish(opts, p)
	return opts, extra, err
}

// offsets returns where to start and where to go on when an offset is out of range; without the second franz-go would
// go back a minute.
func offsets(autoOffsetReset string) (start, reset kgo.Offset) {
	switch autoOffsetReset {
	case "earliest":
		return kgo.NewOffset().AtStart(), kgo.NewOffset().AtStart()
	case "none":
		return kgo.NewOffset().AtCommitted(), kgo.NoResetOffset()
	case "latest":
		return kgo.NewOffset().AtEnd(), kgo.NewOffset().AtEnd()
	default:
		duration, _ := isoDuration(strings.TrimPrefix(autoOffsetReset, "by_duration:"))
		return kgo.LookbackOffset(duration), kgo.LookbackOffset(duration)
	}
}

func groupOptions(p *properties, extra ConsumerExtra) ([]kgo.Opt, error) {
	if extra.GroupID == "" {
		return nil, nil
	}
	const least, most = 100 * time.Millisecond, math.MaxInt32 * time.Millisecond
	opts := []kgo.Opt{
		kgo.ConsumerGroup(extra.GroupID),
		kgo.DisableAutoCommit(),
		kgo.RebalanceTimeout(min(max(extra.MaxPollInterval, least), most)),
	}
	if id := p.String("group.instance.id"); id != "" {
		opts = append(opts, kgo.InstanceID(id))
	}
	if strings.EqualFold(p.String("group.protocol"), "consumer") {
		for _, key := range []string{"partition.assignment.strategy", "heartbeat.interval.ms", "session.timeout.ms"} {
			if p.isGiven(key) {
				return nil, connect.ConfigErrorf(key, "%s cannot be set when group.protocol=CONSUMER", key)
			}
		}
		balancer := kgo.StickyBalancer() // the broker calls it uniform
		if p.String("group.remote.assignor") == "range" {
			balancer = kgo.RangeBalancer()
		}
		return append(opts, kgo.ServerSideBalancer(), kgo.Balancers(balancer)), nil
	}
	if p.isGiven("group.remote.assignor") {
		return nil, connect.ConfigErrorf("group.remote.assignor", "group.remote.assignor cannot be set when group.protocol=CLASSIC")
	}
	session := clamp(p, "session.timeout.ms", least, most)
	heartbeat := millis(p, "heartbeat.interval.ms")
	if heartbeat > session {
		return nil, connect.InvalidValue("heartbeat.interval.ms", p.Int("heartbeat.interval.ms"), "it must be below session.timeout.ms")
	}
	balancers, err := groupBalancers(p.List("partition.assignment.strategy"))
	if err != nil {
		return nil, err
	}
	return append(opts, kgo.SessionTimeout(session), kgo.HeartbeatInterval(max(heartbeat, time.Millisecond)), kgo.Balancers(balancers...)), nil
}

func groupBalancers(classes []string) ([]kgo.GroupBalancer, error) {
	const key = "partition.assignment.strategy"
	var balancers []kgo.GroupBalancer
	for _, class := range classes {
		switch strings.TrimPrefix(class, "org.apache.kafka.clients.consumer.") {
		case "RangeAssignor":
			balancers = append(balancers, kgo.RangeBalancer())
		case "RoundRobinAssignor":
			balancers = append(balancers, kgo.RoundRobinBalancer())
		case "StickyAssignor":
			balancers = append(balancers, kgo.StickyBalancer())
		case "CooperativeStickyAssignor":
			balancers = append(balancers, kgo.CooperativeStickyBalancer())
		default:
			return nil, connect.InvalidValue(key, class, "assignors are Java classes; only RangeAssignor, RoundRobinAssignor, StickyAssignor "+
				"and CooperativeStickyAssignor of org.apache.kafka.clients.consumer have an equivalent")
		}
	}
	if len(balancers) == 0 {
		return nil, connect.InvalidValue(key, "", "at least one assignor is needed")
	}
	return balancers, nil
}
