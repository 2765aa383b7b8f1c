package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/conformance"
)

// TestClientConfig runs the effective properties of all clients and the policies for overrides.
func TestClientConfig(t *testing.T) {
	conformance.Run(t, "control/client-config.jsonl", func(t *testing.T, c conformance.Case) {
		feature := strings.TrimPrefix(c.ID, "control.client-config.")
		for _, f := range []struct {
			name string
			run  func(*testing.T, conformance.Case)
		}{
			{"connector.", connectorClients},
			{"stores.", storeClients},
			{"policy-config.", policyConfig},
			{"policy-violation.", policyViolation},
			{"policy.", policyDecision},
			{"offset-stores.", offsetStores},
			{"names.", clientNames},
		} {
			if strings.HasPrefix(feature, f.name) {
				f.run(t, c)
				return
			}
		}
		t.Fatalf("unknown feature %s", feature)
	})
}

const clusterID = "<cluster-id>"

func connectorClients(t *testing.T, c conformance.Case) {
	var in struct {
		Worker, Connector connect.Config
		Task              int
	}
	decodeCase(t, c.In, &in)
	w := clients.Worker{Config: in.Worker, ClusterID: clusterID}
	name := in.Connector["name"]
	id := connect.TaskID{Connector: name, Task: in.Task}
	offsets := func(exactlyOnce bool) map[string]string {
		props, _ := w.OffsetsConsumer(in.Connector, name, clients.TaskConsumerID(id), exactlyOnce)
		return props
	}
	transactional, _ := w.TransactionalProducer(in.Connector, id, clients.TaskProducerID(id))
	got := map[string]map[string]string{
		"sourceTaskProducer":            w.Producer(in.Connector, clients.TaskProducerID(id)),
		"exactlyOnceSourceTaskProducer": transactional,
		"dlqProducer":                   w.Producer(in.Connector, clients.DeadLetterProducerID(id)),
		"sinkTaskConsumer":              w.Consumer(in.Connector, name, clients.TaskConsumerID(id)),
		"exactlyOnceOffsetsConsumer":    offsets(true),
		"regularOffsetsConsumer":        offsets(false),
		"sourceAdmin":                   w.Admin(in.Connector, clients.TaskAdminID(id)),
		"dlqAdmin":                      w.Admin(in.Connector, clients.DeadLetterAdminID(id)),
	}
	var want map[string]struct{ Out map[string]string }
	decodeCase(t, c.Out, &want)
	for client, w := range want {
		props, ok := got[client]
		if !ok {
			t.Errorf("unknown client %s", client)
			continue
		}
		t.Run(client, func(t *testing.T) { sameJSON(t, props, w.Out) })
	}
}

func storeClients(t *testing.T, c conformance.Case) {
	var in struct{ Worker connect.Config }
	decodeCase(t, c.In, &in)
	if _, distributed := in.Worker["group.id"]; !distributed {
		// A standalone worker has no internal topics, so nothing asks for these clients' names; in Java that is an error.
		if c.Error == nil {
			t.Fatal("a standalone worker has clients of internal topics")
		}
		return
	}
	w := clients.Worker{Config: in.Worker, ClusterID: clusterID}
	rebalanceTimeout, err := w.RebalanceTimeout()
	sameError(t, c, err)
	if err != nil {
		return
	}
	configConsumer, _ := w.ConfigConsumer()
	offsetsConsumer, _ := w.WorkerOffsetsConsumer()
	leader, _ := w.ConfigLeaderProducer()
	got := map[string]any{
		"clientIdBase": w.IDBase(), "configProducer": w.ConfigProducer(), "configConsumer": configConsumer,
		"configLeaderProducer": leader, "offsetsProducer": w.OffsetsProducer(), "offsetsConsumer": offsetsConsumer,
		"statusProducer": w.StatusProducer(), "statusConsumer": w.StatusConsumer(),
		"transactionalProducerId":  clients.LeaderTransactionalID(w.GroupID()),
		"exactlyOnceSourceEnabled": w.ExactlyOnce(), "transactionalLeaderEnabled": w.TransactionalLeader(),
		"offsetsTopic": in.Worker["offset.storage.topic"], "rebalanceTimeout": rebalanceTimeout.Milliseconds(),
	}
	for key, store := range map[string]string{"configTopicSettings": "config", "offsetTopicSettings": "offset", "statusTopicSettings": "status"} {
		topic, _, err := w.StoreTopic(store)
		if err != nil {
			t.Fatal(err)
		}
		got[key] = topic.Settings
	}
	var want map[string]any
	decodeCase(t, c.Out, &want)
	sameJSON(t, got, want)
}

func policyOf(t *testing.T, name string, cfg connect.Config) (connect.OverridePolicy, error) {
	t.Helper()
	var reg connect.Registry
	if err := reg.Add(clients.Policies()...); err != nil {
		t.Fatal(err)
	}
	name = strings.TrimSuffix(name, "-empty")
	short, ok := reg.OverridePolicy(name)
	if !ok {
		t.Fatalf("no policy %s", name)
	}
	long, ok := reg.OverridePolicy("org.apache.kafka.connect.connector.policy." + name + "ConnectorClientConfigOverridePolicy")
	if !ok || long.Class != short.Class {
		t.Fatalf("no policy of the class of %s", name)
	}
	return short.New(cfg)
}

func policyDecision(t *testing.T, c conformance.Case) {
	var in struct {
		Policy       string
		PolicyConfig connect.Config
		ClientType   string
		Overrides    struct{ V [][2]*struct{ V any } }
	}
	decodeCase(t, c.In, &in)
	policy, err := policyOf(t, in.Policy, in.PolicyConfig)
	if err != nil {
		t.Fatal(err)
	}
	props, nulls := map[string]string{}, map[string]bool{}
	for _, entry := range in.Overrides.V {
		key := entry[0].V.(string)
		if entry[1] == nil { // a policy gets the text of a null as ""
			props[key], nulls[key] = "", true
			continue
		}
		props[key] = fmt.Sprint(entry[1].V)
	}
	values, err := policy.Validate(context.Background(), connect.OverrideRequest{
		Connector: "c", Class: "X", Kind: connect.KindSource, Client: strings.ToLower(in.ClientType), Properties: props,
	})
	sameError(t, c, err)
	got := []any{}
	for _, v := range values {
		value := v.Value
		if nulls[v.Name] {
			value = nil
		}
		got = append(got, map[string]any{"name": v.Name, "value": value, "errors": append([]string{}, v.Errors...), "recommended": append([]any{}, v.Recommended...)})
	}
	var want []any
	decodeCase(t, c.Out, &want)
	sameJSON(t, got, want)
}

func policyConfig(t *testing.T, c conformance.Case) {
	var cfg connect.Config
	decodeCase(t, c.In, &cfg)
	allowed, err := clients.Allowlist(cfg)
	sameError(t, c, err)
	if err != nil {
		return
	}
	var want []string
	decodeCase(t, c.Out, &want)
	sameJSON(t, allowed, want)
}

func policyViolation(t *testing.T, c conformance.Case) {
	var in struct {
		Policy       string
		PolicyConfig connect.Config
		Connector    connect.Config
	}
	decodeCase(t, c.In, &in)
	policy, err := policyOf(t, in.Policy, in.PolicyConfig)
	if err == nil {
		err = clients.CheckOverrides(context.Background(), policy, in.Connector, clients.KindProducer, connect.OverrideRequest{
			Connector: in.Connector["name"], Class: in.Connector["connector.class"], Kind: connect.KindSource,
		})
	}
	sameError(t, c, err)
	if err != nil {
		return
	}
	// Kafka's answer is the acks that the producer gets.
	var want any
	decodeCase(t, c.Out, &want)
	w := clients.Worker{Config: connect.Config{"bootstrap.servers": "b:1"}}
	sameJSON(t, w.Producer(in.Connector, "id")["acks"], want)
}

func offsetStores(t *testing.T, c conformance.Case) {
	var in map[string]*string
	decodeCase(t, c.In, &in)
	given := func(into connect.Config, key, from string) {
		if value := in[from]; value != nil {
			into[key] = *value
		}
	}
	w := clients.Worker{Config: connect.Config{"group.id": "g"}, ClusterID: clusterID}
	given(w.Config, "bootstrap.servers", "workerBootstrap")
	given(w.Config, "producer.bootstrap.servers", "workerProducerBootstrap")
	given(w.Config, "offset.storage.topic", "workerOffsetsTopic")
	given(w.Config, "exactly.once.source.support", "exactlyOnce")
	connector := connect.Config{"name": "c", "connector.class": "X"}
	given(connector, "offsets.storage.topic", "offsets.storage.topic")
	given(connector, "producer.override.bootstrap.servers", "producer.override.bootstrap.servers")

	type stores struct {
		ConnectorStore, WorkerStore bool
		PrimaryOffsetsTopic         string
	}
	var want map[string]struct {
		Out   stores
		Error *conformance.Error
	}
	decodeCase(t, c.Out, &want)
	for of, clientID := range map[string]string{
		"task": clients.TaskProducerID(connect.TaskID{Connector: "c"}), "connector": clients.ConnectorProducerID("c"),
	} {
		got, err := w.OffsetStores(connector, w.Producer(connector, clientID), w.ExactlyOnce())
		sameError(t, conformance.Case{Error: want[of].Error}, err)
		if err == nil {
			sameJSON(t, stores{got.Connector, got.Worker, got.Topic}, want[of].Out)
		}
	}
}

func clientNames(t *testing.T, c conformance.Case) {
	var in struct {
		Function         string
		Group, Connector *string
		ClientID         *string
		Task             int
	}
	decodeCase(t, c.In, &in)
	if in.Group == nil {
		null := "null" // as Java prints it
		in.Group = &null
		if in.Function == "clientIdBase" {
			// A standalone worker has no internal topics, so nothing asks for these clients' names; in Java that is an error.
			if c.Error == nil {
				t.Fatal("a standalone worker has clients of internal topics")
			}
			return
		}
	}
	var got string
	switch in.Function {
	case "taskTransactionalId":
		got = clients.TaskTransactionalID(*in.Group, *in.Connector, in.Task)
	case "transactionalProducerId":
		got = clients.LeaderTransactionalID(*in.Group)
	case "clientIdBase":
		id := ""
		if in.ClientID != nil {
			id = *in.ClientID
		}
		got = clients.IDBase(*in.Group, id)
	default:
		t.Fatalf("unknown function %s", in.Function)
	}
	sameError(t, c, nil)
	var want string
	if err := json.Unmarshal(c.Out, &want); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEnsureProperty runs what forces a property on a client.
func TestEnsureProperty(t *testing.T) {
	conformance.Run(t, "control/herder.jsonl", func(t *testing.T, c conformance.Case) {
		if !strings.HasPrefix(c.ID, "control.herder.ensure-property.") {
			return
		}
		var in struct {
			Props         map[string]string
			Key, Expected string
			Justification *string
			CaseSensitive bool
		}
		decodeCase(t, c.In, &in)
		because := ""
		if in.Justification != nil {
			because = *in.Justification
		}
		var warning any
		if text := clients.EnsureProperty(in.Props, in.Key, in.Expected, because, in.CaseSensitive); text != "" {
			warning = text
		}
		var want any
		decodeCase(t, c.Out, &want)
		sameJSON(t, map[string]any{"props": in.Props, "warning": warning}, want)
	})
}
