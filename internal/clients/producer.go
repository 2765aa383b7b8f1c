package clients

import (
	"math"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ProducerExtra is what of a producer's properties its user has to see to.
type ProducerExtra struct {
	// MaxBlock is how long producing a record may wait for memory (max.block.ms).
	MaxBlock time.Duration
	// DeliveryTimeout is how long after that a record may take (delivery.timeout.ms).
	DeliveryTimeout time.Duration
	// TransactionalID is the transactional id, or empty.
	TransactionalID string
}

// Producer returns the options of a producer with the properties. The record's partition counts if it is 0 or above, see
// [Partitioner]. The error is a *[connect.ConfigError], in Kafka's words where it is about what Kafka checks too.
func (o Options) Producer(props map[string]string) ([]kgo.Opt, ProducerExtra, Warnings, error) {
	p, err := parse(KindProducer, props)
	if err != nil {
		return nil, ProducerExtra{}, nil, err
	}
	opts, extra, err := o.producer(p)
	if err != nil {
		return nil, ProducerExtra{}, nil, err
	}
	return opts, extra, p.finish(), nil
}

func (o Options) producer(p *properties) ([]kgo.Opt, ProducerExtra, error) {
	extra := ProducerExtra{MaxBlock: millis(p, "max.block.ms"), TransactionalID: p.String("transactional.id")}
	opts, err := o.network(p)
	if err != nil {
		return nil, extra, err
	}
	idempotent, err := idempotence(p)
	if err != nil {
		return nil, extra, err
	}
	if !idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(p.Int("max.in.flight.requests.per.connection")))
	}
	switch p.String("acks") {
	case "0":
		opts = append(opts, kgo.RequiredAcks(kgo.NoAck()))
	case "1":
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()))
	}
	linger := clamp(p, "linger.ms", 0, time.Minute)
	delivery, err := deliveryTimeout(p, linger)
	if err != nil {
		return nil, extra, err
	}
	extra.DeliveryTimeout = delivery
	if delivery < math.MaxInt32*time.Millisecond {
		opts = append(opts, kgo.RecordDeliveryTimeout(max(delivery, time.Second)))
	}
	if retries := p.Int("retries"); retries < math.MaxInt32 {
		opts = append(opts, kgo.RecordRetries(retries))
	}
	if extra.TransactionalID != "" {
		opts = append(opts, kgo.TransactionalID(extra.TransactionalID), kgo.TransactionTimeout(max(millis(p, "transaction.timeout.ms"), time.Millisecond)))
	}
	partition, err := recordPartitioner(p)
	if err != nil {
		return nil, extra, err
	}
	size := int32(clampInt(p, "max.request.size", 512, 1<<30))
	opts = append(opts,
		kgo.ProducerLinger(linger),
		kgo.ProduceRequestTimeout(clamp(p, "request.timeout.ms", 100*time.Millisecond, 15*time.Minute)),
		kgo.ProducerBatchMaxBytes(size),
		kgo.BrokerMaxWriteBytes(max(size, 100<<20)),
		// Memory is always bounded: franz-go's own default is 50,000 records of any size.
		kgo.MaxBufferedBytes(int(max(p.Long("buffer.memory"), int64(size)))),
		kgo.ProducerBatchCompression(compression(p)),
		kgo.RecordPartitioner(partition),
		kgo.UnknownTopicRetries(unknownTopicRetries(p)),
		// Requests that are not for records: transactions above all. Kafka bounds them by max.block.ms alone, but nothing
		// else ends those that franz-go makes without a context.
		kgo.RetryTimeout(max(min(extra.MaxBlock, time.Minute), time.Millisecond)),
		kgo.RequestRetries(math.MaxInt32),
		kgo.AllowAutoTopicCreation(), // as Kafka's producers always do; the broker decides
	)
	opts, err = o.finish(opts, p)
	return opts, extra, err
}

// idempotence decides whether the producer is idempotent, by the rules of Kafka's ProducerConfig.
func idempotence(p *properties) (bool, error) {
	const key = "enable.idempotence"
	if p.Bool(key) {
		switch acks := p.String("acks"); {
		case p.Int("retries") == 0 && p.isGiven(key):
			return false, connect.ConfigErrorf("retries", "Must set retries to non-zero when using the idempotent producer.")
		case acks != "all" && acks != "-1" && p.isGiven(key):
			return false, connect.ConfigErrorf("acks", "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.")
		case p.Int("max.in.flight.requests.per.connection") > 5:
			return false, connect.ConfigErrorf("max.in.flight.requests.per.connection", "To use the idempotent producer, "+
				"max.in.flight.requests.per.connection must be set to at most 5. Current value is %d.", p.Int("max.in.flight.requests.per.connection"))
		case p.Int("retries") != 0 && (acks == "all" || acks == "-1"):
			return true, nil
		}
	}
	if p.String("transactional.id") != "" {
		return false, connect.ConfigErrorf("transactional.id", "Cannot set a transactional.id without also enabling idempotence.")
	}
	return false, nil
}

func deliveryTimeout(p *properties, linger time.Duration) (time.Duration, error) {
	delivery, least := millis(p, "delivery.timeout.ms"), linger+millis(p, "request.timeout.ms")
	if delivery >= least {
		return delivery, nil
	}
	if p.isGiven("delivery.timeout.ms") {
		return 0, connect.ConfigErrorf("delivery.timeout.ms", "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms")
	}
	return least, nil
}

// longestUnknown is how long a record waits at most for a topic that does not exist. Kafka's producer waits for
// max.block.ms, in Connect for ever, which looks like a task that has nothing to do. It has to end also because franz-go
// does not find a topic again that was deleted and made anew: who produces must see the error to make it forget the topic.
const longestUnknown = 15 * time.Second

// unknownTopicRetries makes a number of looks at the metadata of the time to wait for a topic.
func unknownTopicRetries(p *properties) int {
	look := max(millis(p, "retry.backoff.ms"), 10*time.Millisecond)
	return int(max(min(millis(p, "max.block.ms"), longestUnknown)/look, 1))
}

func compression(p *properties) kgo.CompressionCodec {
	switch p.String("compression.type") {
	case "gzip":
		return kgo.GzipCompression().WithLevel(max(p.Int("compression.gzip.level"), 0))
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		level := p.Int("compression.lz4.level")
		if level == 9 { // Kafka's default, for which it takes its fastest compressor
			return kgo.Lz4Compression()
		}
		return kgo.Lz4Compression().WithLevel(1 << (8 + min(level, 9)))
	case "zstd":
		level := 4
		for i, below := range []int{3, 6, 10} {
			if p.Int("compression.zstd.level") < below {
				level = i + 1
				break
			}
		}
		return kgo.ZstdCompression().WithLevel(level)
	default:
		return kgo.NoCompression()
	}
}

func recordPartitioner(p *properties) (kgo.Partitioner, error) {
	const roundRobin = "org.apache.kafka.clients.producer.RoundRobinPartitioner"
	switch class := p.String("partitioner.class"); class {
	case "":
		bytes := max(p.Int("batch.size"), 1)
		return Partitioner(kgo.UniformBytesPartitioner(bytes, p.Bool("partitioner.adaptive.partitioning.enable"), !p.Bool("partitioner.ignore.keys"), nil)), nil
	case roundRobin:
		return Partitioner(kgo.RoundRobinPartitioner()), nil
	default:
		return nil, connect.InvalidValue("partitioner.class", class, "partitioners are Java classes; only "+roundRobin+" has an equivalent")
	}
}

func clampInt(p *properties, key string, lowest, highest int64) int64 {
	n := p.Long(key)
	allowed := min(max(n, lowest), highest)
	if allowed != n {
		p.warn(key, "%s is %d: the client allows from %d to %d", key, allowed, lowest, highest)
	}
	return allowed
}
