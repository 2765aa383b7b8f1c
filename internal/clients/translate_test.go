package clients

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
)

// open makes a client with the properties, which connects to nothing until it is used.
func open(t *testing.T, kind Kind, props map[string]string) *kgo.Client {
	t.Helper()
	all := map[string]string{"bootstrap.servers": "b:1"}
	for key, value := range props {
		all[key] = value
	}
	var opts []kgo.Opt
	var err error
	switch kind {
	case KindProducer:
		opts, _, _, err = Producer(all)
	case KindConsumer:
		var extra ConsumerExtra
		if opts, extra, _, err = Consumer(all); err == nil {
			opts = append(opts, extra.Group...)
		}
	case KindAdmin:
		opts, _, err = Admin(all)
	}
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func TestTranslation(t *testing.T) {
	type p = map[string]string
	for _, tt := range []struct {
		name  string
		kind  Kind
		props p
		opt   any
		want  any
	}{
		{"servers", KindAdmin, p{"bootstrap.servers": " a:1 , SSL://[::1]:5"}, kgo.SeedBrokers, []string{"a:1", "[::1]:5"}},
		{"client id", KindProducer, p{"client.id": "me"}, kgo.ClientID, "me"},
		{"metadata age", KindAdmin, p{"metadata.max.age.ms": "60000"}, kgo.MetadataMaxAge, time.Minute},
		{"metadata age is bounded", KindAdmin, p{"metadata.max.age.ms": "99999999"}, kgo.MetadataMaxAge, time.Hour},
		{"retries after new metadata come soon", KindProducer, nil, kgo.MetadataMinAge, 100 * time.Millisecond},
		{"idle connections", KindAdmin, nil, kgo.ConnIdleTimeout, 5 * time.Minute},
		{"idle connections of a producer", KindProducer, nil, kgo.ConnIdleTimeout, 9 * time.Minute},
		{"idle connections for ever", KindProducer, p{"connections.max.idle.ms": "9223372036854775807"}, kgo.ConnIdleTimeout, 15 * time.Minute},
		{"dial", KindAdmin, p{"socket.connection.setup.timeout.ms": "1000"}, kgo.DialTimeout, time.Second},
		{"request timeout", KindAdmin, p{"request.timeout.ms": "1000"}, kgo.RequestTimeoutOverhead, time.Second},
		{"admin retries", KindAdmin, p{"retries": "3"}, kgo.RequestRetries, int64(3)},

		{"linger", KindProducer, nil, kgo.ProducerLinger, 5 * time.Millisecond},
		{"produce timeout", KindProducer, nil, kgo.ProduceRequestTimeout, 30 * time.Second},
		{"record size", KindProducer, nil, kgo.ProducerBatchMaxBytes, int32(1 << 20)},
		{"large records", KindProducer, p{"max.request.size": "209715200"}, kgo.BrokerMaxWriteBytes, int32(200 << 20)},
		{"memory is bounded", KindProducer, nil, kgo.MaxBufferedBytes, int64(32 << 20)},
		{"memory holds a record", KindProducer, p{"buffer.memory": "0"}, kgo.MaxBufferedBytes, int64(1 << 20)},
		{"delivery", KindProducer, nil, kgo.RecordDeliveryTimeout, 2 * time.Minute},
		{"delivery for ever", KindProducer, p{"delivery.timeout.ms": "2147483647"}, kgo.RecordDeliveryTimeout, time.Duration(0)},
		{"delivery follows", KindProducer, p{"request.timeout.ms": "300000"}, kgo.RecordDeliveryTimeout, 5*time.Minute + 5*time.Millisecond},
		{"record retries", KindProducer, p{"retries": "0"}, kgo.RecordRetries, int64(0)},
		{"idempotent", KindProducer, nil, kgo.DisableIdempotentWrite, false},
		{"not idempotent", KindProducer, p{"enable.idempotence": "FALSE"}, kgo.DisableIdempotentWrite, true},
		{"acks make it not idempotent", KindProducer, p{"acks": "1"}, kgo.DisableIdempotentWrite, true},
		{"retries make it not idempotent", KindProducer, p{"retries": "0"}, kgo.DisableIdempotentWrite, true},
		{"in flight", KindProducer, p{"enable.idempotence": "false", "max.in.flight.requests.per.connection": "7"}, kgo.MaxProduceRequestsInflightPerBroker, 7},
		{"acks", KindProducer, p{"acks": "0"}, kgo.RequiredAcks, kgo.NoAck()},
		{"acks of the leader", KindProducer, p{"acks": "1"}, kgo.RequiredAcks, kgo.LeaderAck()},
		{"acks of all", KindProducer, p{"acks": "-1"}, kgo.RequiredAcks, kgo.AllISRAcks()},
		{"transaction timeout", KindProducer, p{"transactional.id": "x"}, kgo.TransactionTimeout, time.Minute},
		{"unknown topics", KindProducer, nil, kgo.UnknownTopicRetries, int64(150)},
		{"unknown topics, seldom looked for", KindProducer, p{"max.block.ms": "1000", "retry.backoff.ms": "500"}, kgo.UnknownTopicRetries, int64(2)},
		{"topics are made", KindProducer, nil, kgo.AllowAutoTopicCreation, true},

		{"fetch wait", KindConsumer, nil, kgo.FetchMaxWait, 500 * time.Millisecond},
		{"fetch wait is bounded", KindConsumer, p{"fetch.max.wait.ms": "1"}, kgo.FetchMaxWait, 10 * time.Millisecond},
		{"fetch memory is bounded", KindConsumer, nil, kgo.FetchMaxBytes, int32(512 << 10)},
		{"fetch memory as asked", KindConsumer, p{"fetch.max.bytes": "52428800"}, kgo.FetchMaxBytes, int32(50 << 20)},
		{"fetches at a time", KindConsumer, nil, kgo.MaxConcurrentFetches, 2},
		{"decompression is bounded", KindConsumer, nil, kgo.MaxDecompressBatchBytes, 128 << 20},
		{"committed", KindConsumer, p{"isolation.level": "read_committed"}, kgo.FetchIsolationLevel, int8(1)},
		{"rack", KindConsumer, p{"client.rack": "r"}, kgo.Rack, "r"},
		{"group", KindConsumer, p{"group.id": "g"}, kgo.ConsumerGroup, "g"},
		{"no auto commit", KindConsumer, p{"group.id": "g", "enable.auto.commit": "true"}, kgo.DisableAutoCommit, true},
		{"session", KindConsumer, p{"group.id": "g", "session.timeout.ms": "9000"}, kgo.SessionTimeout, 9 * time.Second},
		{"heartbeat", KindConsumer, p{"group.id": "g"}, kgo.HeartbeatInterval, 3 * time.Second},
		{"rebalance", KindConsumer, p{"group.id": "g"}, kgo.RebalanceTimeout, 5 * time.Minute},
		{"broker assigns", KindConsumer, p{"group.id": "g", "group.protocol": "Consumer"}, kgo.ServerSideBalancer, true},
		{"instance", KindConsumer, p{"group.id": "g", "group.instance.id": "i"}, kgo.InstanceID, "i"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := open(t, tt.kind, tt.props).OptValue(tt.opt)
			if list, ok := tt.want.([]string); ok {
				if got := got.([]string); strings.Join(got, ",") != strings.Join(list, ",") {
					t.Errorf("got %v, want %v", got, list)
				}
				return
			}
			if got != tt.want {
				t.Errorf("got %v (%T), want %v (%T)", got, got, tt.want, tt.want)
			}
		})
	}
}

func TestOffsetReset(t *testing.T) {
	for value, want := range map[string][2]kgo.Offset{
		"earliest":         {kgo.NewOffset().AtStart(), kgo.NewOffset().AtStart()},
		"latest":           {kgo.NewOffset().AtEnd(), kgo.NewOffset().AtEnd()},
		"none":             {kgo.NewOffset().AtCommitted(), kgo.NoResetOffset()},
		"by_duration:PT1H": {kgo.LookbackOffset(time.Hour), kgo.LookbackOffset(time.Hour)},
	} {
		cl := open(t, KindConsumer, map[string]string{"auto.offset.reset": value})
		if got := cl.OptValue(kgo.ConsumeStartOffset); got != want[0] {
			t.Errorf("%s starts at %v, want %v", value, got, want[0])
		}
		if got := cl.OptValue(kgo.ConsumeResetOffset); got != want[1] {
			t.Errorf("%s resets to %v, want %v", value, got, want[1])
		}
	}
	_, extra, _, err := Consumer(map[string]string{"bootstrap.servers": "b:1", "auto.offset.reset": "none"})
	if err != nil || !extra.FailOnReset {
		t.Errorf("got %v, %v", extra, err)
	}
}

func TestISODuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"PT1H": time.Hour, "P1D": 24 * time.Hour, "p1dt2h3m4.5s": 26*time.Hour + 3*time.Minute + 4500*time.Millisecond, "PT0S": 0,
		"": -1, "P": -1, "PT": -1, "1H": -1, "P1H": -1, "-PT1H": -1, "PT-1H": -1, "P1DT": -1, "PT5MS": -1, "PT5US": -1, "P1.5D": -1, "P99999999999D": -1,
	} {
		got, ok := isoDuration(in)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %v, %v", in, got, ok)
		}
	}
}

func TestExtras(t *testing.T) {
	_, producer, _, err := Producer(map[string]string{"bootstrap.servers": "b:1", "max.block.ms": longestBlock, "transactional.id": "x"})
	if err != nil || producer.MaxBlock != math.MaxInt64 || producer.TransactionalID != "x" {
		t.Errorf("got %v, %v", producer, err)
	}
	_, consumer, _, err := Consumer(map[string]string{"bootstrap.servers": "b:1", "group.id": "g", "max.poll.records": "7"})
	if err != nil || consumer.MaxPollRecords != 7 || consumer.GroupID != "g" || consumer.MaxPollInterval != 5*time.Minute {
		t.Errorf("got %v, %v", consumer, err)
	}
}

// TestErrors has the texts of Kafka's own clients, 4.3.0, where Kafka refuses the same.
func TestErrors(t *testing.T) {
	type p = map[string]string
	const hidden = "hunter2"
	for _, tt := range []struct {
		kind  Kind
		props p
		want  string
	}{
		{KindProducer, p{"bootstrap.servers": ""}, "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value"},
		{KindProducer, p{"bootstrap.servers": "a:1,,b:2"}, "Configuration 'bootstrap.servers' values must not be empty."},
		{KindProducer, p{"bootstrap.servers": "nohost"}, "Invalid url in bootstrap.servers: nohost"},
		{KindProducer, p{"acks": "2"}, "Invalid value 2 for configuration acks: String must be one of: all, -1, 0, 1"},
		{KindProducer, p{"acks": "1", "enable.idempotence": "true"}, "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence."},
		{KindProducer, p{"retries": "0", "enable.idempotence": "true"}, "Must set retries to non-zero when using the idempotent producer."},
		{KindProducer, p{"max.in.flight.requests.per.connection": "6"}, "To use the idempotent producer, max.in.flight.requests.per.connection must be set to at most 5. Current value is 6."},
		{KindProducer, p{"transactional.id": "t", "acks": "0"}, "Cannot set a transactional.id without also enabling idempotence."},
		{KindProducer, p{"transactional.id": ""}, "Invalid value  for configuration transactional.id: String must be non-empty"},
		{KindProducer, p{"linger.ms": "x"}, "Invalid value x for configuration linger.ms: Not a number of type LONG"},
		{KindProducer, p{"linger.ms": "-1"}, "Invalid value -1 for configuration linger.ms: Value must be at least 0"},
		{KindProducer, p{"compression.type": "GZIP"}, "Invalid value GZIP for configuration compression.type: String must be one of: none, gzip, snappy, lz4, zstd"},
		{KindProducer, p{"compression.gzip.level": "0"}, "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1"},
		{KindProducer, p{"compression.lz4.level": "18"}, "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17"},
		{KindProducer, p{"delivery.timeout.ms": "10"}, "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms"},
		{KindProducer, p{"enable.idempotence": "yes"}, "Invalid value yes for configuration enable.idempotence: Expected value to be either true or false"},
		{KindProducer, p{"security.protocol": "TLS"}, "Invalid value TLS for configuration security.protocol: String must be one of (case insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT"},
		{KindProducer, p{"metadata.max.idle.ms": "1"}, "Invalid value 1 for configuration metadata.max.idle.ms: Value must be at least 5000"},
		{KindProducer, p{"partitioner.class": "x.Y"}, "Invalid value x.Y for configuration partitioner.class: partitioners are Java classes; only org.apache.kafka.clients.producer.RoundRobinPartitioner has an equivalent"},
		{KindConsumer, p{"auto.offset.reset": "Latest"}, "Invalid value Latest for configuration auto.offset.reset: Invalid value `Latest` for configuration auto.offset.reset. The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."},
		{KindConsumer, p{"isolation.level": "x"}, "Invalid value x for configuration isolation.level: String must be one of: read_committed, read_uncommitted"},
		{KindConsumer, p{"group.id": "g", "group.protocol": "consumer", "session.timeout.ms": "5"}, "session.timeout.ms cannot be set when group.protocol=CONSUMER"},
		{KindConsumer, p{"group.id": "g", "group.remote.assignor": "x"}, "group.remote.assignor cannot be set when group.protocol=CLASSIC"},
		{KindConsumer, p{"max.poll.records": "0"}, "Invalid value 0 for configuration max.poll.records: Value must be at least 1"},
		{KindConsumer, p{"group.instance.id": ""}, "Invalid value  for configuration group.instance.id: String must be non-empty"},
		{KindAdmin, p{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": ""}, "Invalid value null for configuration sasl.mechanism: When the security.protocol configuration enables SASL, mechanism must be non-null and non-empty string."},
		{KindAdmin, p{"security.protocol": "SASL_PLAINTEXT"}, "Invalid value GSSAPI for configuration sasl.mechanism: Kerberos is a module of its own, plugin/kerberos: hand in its Mechanism as cluster.Config.Mechanism; for another mechanism set sasl.mechanism (GSSAPI is its default)"},
		{KindAdmin, p{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}, "sasl.jaas.config must have the options username and password for the mechanism PLAIN"},
		{KindAdmin, p{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": `x required username="` + hidden + `"`}, "Invalid value [hidden] for configuration sasl.jaas.config: JAAS config entry not terminated by semi-colon"},
		{KindAdmin, p{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": hidden}, "Invalid value [hidden] for configuration sasl.jaas.config: Login module control flag not specified in JAAS config"},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.truststore.password": hidden}, "SSL trust store is not specified, but trust store password is specified."},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.truststore.certificates": hidden}, "SSL trust store certs can be specified only for PEM, but trust store type is JKS."},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.truststore.certificates": hidden, "ssl.truststore.type": "PEM"}, "Invalid ssl.truststore.certificates: the value can't be used: no matching CERTIFICATE entries in PEM file"},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.keystore.key": hidden}, "SSL private key can be specified only for PEM, but key store type is JKS."},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.keystore.location": "testdata/client.jks"}, "SSL key store is specified, but key store password is not specified."},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.keystore.location": "testdata/none", "ssl.keystore.password": hidden}, "Invalid ssl.keystore.location: testdata/none can't be used: open testdata/none: no such file or directory"},
		{KindAdmin, p{"security.protocol": "SSL", "ssl.enabled.protocols": "SSLv3"}, "Invalid value SSLv3 for configuration ssl.enabled.protocols: it must be one of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3"},
	} {
		props := p{"bootstrap.servers": "b:1"}
		for key, value := range tt.props {
			props[key] = value
		}
		var err error
		switch tt.kind {
		case KindProducer:
			_, _, _, err = Producer(props)
		case KindConsumer:
			_, _, _, err = Consumer(props)
		case KindAdmin:
			_, _, err = Admin(props)
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("%v:\n got %v\nwant %s", tt.props, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("a secret is shown: %v", err)
		}
		if _, ok := errors.AsType[*connect.ConfigError](err); !ok {
			t.Errorf("%v: %T", tt.props, err)
		}
	}
}

func BenchmarkProducer(b *testing.B) {
	props := Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}.Producer(nil, "id")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := Producer(props); err != nil {
			b.Fatal(err)
		}
	}
}
