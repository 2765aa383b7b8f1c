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

	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/gokconnect/connect/internal/kafkatest"
)

// TestInternalTopics starts with internal topics that are absent, right and wrong. What the readers of their records do
// is tested with them.
func TestInternalTopics(t *testing.T) {
	content := map[string]string{"config": "connector configurations", "offset": "source connector offsets", "status": "connector and task statuses"}
	partitions := map[string]int32{"config": 1, "offset": 25, "status": 5}
	vec.Run(t, "control/live-internal-topics.jsonl", func(t *testing.T, c conformance.Case) {
		if strings.Contains(c.ID, ".bad-records.") {
			return // of the config store
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
