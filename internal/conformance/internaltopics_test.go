package conformance_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect/internal/configstore"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// TestInternalTopics starts with internal topics that are absent, right and wrong, and with bad records in the config
// topic.
func TestInternalTopics(t *testing.T) {
	content := map[string]string{"config": "connector configurations", "offset": "source connector offsets", "status": "connector and task statuses"}
	partitions := map[string]int32{"config": 1, "offset": 25, "status": 5}
	vec.Run(t, "control/live-internal-topics.jsonl", func(t *testing.T, c conformance.Case) {
		if strings.Contains(c.ID, ".bad-records.") {
			badRecords(t, c)
			return
		}
		var in struct {
			Store    string
			Existing map[string]any
			Worker   map[string]string
		}
		var raw struct{ TopicAfter json.RawMessage }
		unmarshal(t, c.In, &in)
		unmarshal(t, c.Raw, &raw)
		const name = "<topic>" // as in the expected messages
		topic := kafkalog.Topic{Name: name, Partitions: partitions[in.Store], ReplicationFactor: 1, Settings: map[string]string{}, SinglePartition: in.Store == "config",
			Property: in.Store + ".storage.topic", Content: content[in.Store]}
		for key, value := range in.Worker {
			n, _ := strconv.Atoi(value)
			switch key = strings.TrimPrefix(key, in.Store+".storage."); key {
			case "partitions":
				if in.Store != "config" {
					topic.Partitions = int32(n)
				}
			case "replication.factor":
				topic.ReplicationFactor = int16(n)
			default:
				topic.Settings[key] = value
			}
		}
		synctest.Test(t, func(t *testing.T) {
			kafka := kafkatest.New(t, kafkatest.Kfake(kfake.DefaultNumPartitions(1)))
			if in.Existing != nil {
				var settings []string
				if policy := in.Existing["cleanup.policy"].(string); policy != "<broker default>" {
					settings = []string{"cleanup.policy", policy}
				}
				kafka.MustCreateTopic(name, int32(in.Existing["partitions"].(float64)), settings...)
			}
			err := kafkalog.Ensure(t.Context(), kadm.NewClient(kafka.Client()), topic, 5*time.Second)
			if c.Error != nil && strings.HasSuffix(c.Error.Class, ".TimeoutException") {
				// We go on to say which topic, and what the broker said.
				if err == nil || !strings.HasPrefix(err.Error(), c.Error.Message) {
					t.Errorf("error %v, expected %s", err, c.Error.Message)
				}
			} else {
				vec.CheckError(t, c.Error, err)
			}
			info := kafka.TopicInfo(name)
			if isNull(raw.TopicAfter) {
				if info != nil {
					t.Error("the topic was created")
				}
				return
			}
			var after struct {
				Partitions int
				Configs    map[string]string
			}
			unmarshal(t, raw.TopicAfter, &after)
			if info == nil {
				t.Fatal("the topic was not created")
			}
			configs := map[string]string{}
			for key, value := range info.Configs {
				configs[key] = *value
			}
			if got := len(kafka.PartitionInfos(name)); got != after.Partitions {
				t.Errorf("%d partitions, expected %d", got, after.Partitions)
			}
			sameJSON(t, configs, after.Configs)
		})
	})
}

// badRecords reads a config topic with records that can't be used, with the effect that they have on Kafka Connect.
func badRecords(t *testing.T, c conformance.Case) {
	var in struct {
		When    string
		Records []string
	}
	var raw struct {
		Calls, Snapshot, SnapshotAfterOneMore json.RawMessage
		RefreshError                          *conformance.Error
	}
	unmarshal(t, c.In, &in)
	unmarshal(t, c.Raw, &raw)
	synctest.Test(t, func(t *testing.T) {
		kafka := kafkatest.New(t)
		kafka.MustCreateTopic("cfg", 1, "cleanup.policy", "compact")
		producer := kafka.Client(kgo.ProducerLinger(time.Second)) // one batch
		write := func(texts ...string) {
			var records []*kgo.Record
			for i := 0; i < len(texts); i += 2 {
				records = append(records, &kgo.Record{Topic: "cfg", Key: []byte(texts[i]), Value: []byte(texts[i+1])})
			}
			if err := producer.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		calls := []any{}
		store := configstore.NewKafka(configstore.KafkaConfig{
			Topic: kafkalog.Topic{Name: "cfg"}, Client: kafka.ClientOpts(), LoseBatches: true,
			OnEvent: func(e configstore.Event) { calls = append(calls, configStoreCall(e)) },
		})
		before := in.When == "before start"
		if before {
			write(in.Records...)
		}
		err := store.Start(t.Context())
		defer store.Stop()
		vec.CheckError(t, c.Error, err)
		if !before {
			write(in.Records...)
		}
		refresh := func() {
			if err := store.Refresh(t.Context()); (err != nil) != (raw.RefreshError != nil) {
				t.Errorf("refresh: %v, expected %v", err, raw.RefreshError)
			}
		}
		refresh()
		sameMembers(t, calls, raw.Calls)
		sameMembers(t, configStoreSnapshot(store.State()), raw.Snapshot)
		write("connector-later", `{"properties":{}}`)
		refresh()
		sameMembers(t, configStoreSnapshot(store.State()), raw.SnapshotAfterOneMore)
	})
}
