package conformance_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/topiccreation"
)

// TestTopicCreation runs the groups of topic.creation.* and the topics made from them.
func TestTopicCreation(t *testing.T) {
	conformance.Run(t, "control/topic-creation.jsonl", func(t *testing.T, c conformance.Case) {
		if strings.HasPrefix(c.ID, "control.new-topic.") {
			newTopicCase(t, c)
			return
		}
		var in struct {
			WorkerTopicCreationEnable bool
			Connector                 connect.Config
			Topics                    []string
		}
		decodeCase(t, c.In, &in)
		var groups *topiccreation.Groups
		var err error
		if in.WorkerTopicCreationEnable {
			groups, err = topiccreation.Parse(in.Connector)
		}
		sameError(t, c, err)
		if err != nil {
			return
		}
		matches := []any{}
		names := []string{}
		for _, group := range groups.All() {
			names = append(names, group.Name())
		}
		if groups != nil {
			for _, topic := range in.Topics {
				group, err := groups.Find(topic)
				if err != nil {
					t.Fatal(err)
				}
				created := group.NewTopic(topic)
				matches = append(matches, map[string]any{
					"topic": topic, "group": group.Name(), "newTopicName": created.Name, "partitions": created.Partitions,
					"replicationFactor": created.ReplicationFactor, "configs": created.Configs,
				})
			}
		}
		var want map[string]any
		decodeCase(t, c.Out, &want)
		sameJSON(t, map[string]any{"usesTopicCreation": groups != nil, "groups": names, "enabled": groups != nil, "matches": matches}, want)
	})
}

// newTopicCase runs a builder of topics, whose calls stand in the variant.
func newTopicCase(t *testing.T, c conformance.Case) {
	var in struct{ Variant string }
	decodeCase(t, c.In, &in)
	topic := topiccreation.Broker("t")
	words := strings.Fields(in.Variant)
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		next := func() string {
			if len(words) == 0 {
				t.Fatalf("variant %q: %s needs a value", in.Variant, word)
			}
			value := words[0]
			words = words[1:]
			return value
		}
		number := func() int {
			n, err := strconv.Atoi(next())
			if err != nil {
				t.Fatalf("variant %q: %v", in.Variant, err)
			}
			return n
		}
		switch word {
		case "plain", "then":
		case "compacted":
			topic = topic.Compacted()
		case "defaultPartitions":
			topic.Partitions = topiccreation.BrokerDefault
		case "defaultReplicationFactor":
			topic.ReplicationFactor = topiccreation.BrokerDefault
		case "partitions":
			topic.Partitions = int32(number())
		case "replicationFactor":
			topic.ReplicationFactor = int16(number())
		case "minInSyncReplicas":
			topic = topic.With(map[string]string{"min.insync.replicas": next()})
		case "uncleanLeaderElection":
			topic = topic.With(map[string]string{"unclean.leader.election.enable": next()})
		case "config":
			if len(words) > 0 && words[0] == "null" {
				next()
				topic.Configs = map[string]string{} // null clears
				continue
			}
			topic = topic.With(map[string]string{"x": "1"})
		default:
			t.Fatalf("unknown variant %q", in.Variant)
		}
	}
	var want map[string]any
	decodeCase(t, c.Out, &want)
	sameJSON(t, map[string]any{
		"name": topic.Name, "partitions": topic.Partitions, "replicationFactor": topic.ReplicationFactor, "configs": topic.Configs,
		"toString": topic.String(),
	}, want)
}
