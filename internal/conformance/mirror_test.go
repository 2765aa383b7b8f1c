package conformance_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/conformance/vec"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestMirror(t *testing.T) {
	features := map[string]func(*testing.T, conformance.Case){
		"policy": mirrorPolicy, "policy-internal": mirrorInternalTopics, "offset-sync": mirrorOffsetSync, "checkpoint": mirrorCheckpoint,
		"heartbeat": mirrorHeartbeat, "decode": mirrorDecode, "topic-filter": mirrorTopicFilter, "group-filter": mirrorGroupFilter,
		"config-filter": mirrorConfigFilter, "should-replicate": mirrorShouldReplicate, "target-config": mirrorTargetConfig,
		"acl": mirrorACL, "topic-partition": mirrorTopicPartition, "task-configs": mirrorTaskConfigs, "client": mirrorClient,
		"alter-offsets": mirrorAlterOffsets, "unwrap-offset": mirrorUnwrapOffset, "wrap": mirrorWrap, "convert-record": mirrorConvertRecord,
	}
	conformance.Run(t, "control/mirror.jsonl", func(t *testing.T, c conformance.Case) {
		name := strings.Split(strings.TrimPrefix(c.ID, "control.mirror."), ".")[0]
		check, ok := features[name]
		if !ok {
			t.Fatalf("nothing runs %s", name)
		}
		check(t, c)
	})
}

// mirrorResult is what one of several functions returned for a case.
type mirrorResult struct {
	Out   json.RawMessage
	Error *conformance.Error
}

func policyNamed(t *testing.T, class string, cfg connect.Config) mirror.Naming {
	t.Helper()
	var policy mirror.ReplicationPolicy
	var err error
	if class == "IdentityReplicationPolicy" {
		policy, err = mirror.NewIdentityReplicationPolicy(cfg)
	} else {
		policy, err = mirror.NewDefaultReplicationPolicy(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return mirror.Naming{ReplicationPolicy: policy}
}

func orNull(s string, ok bool) any {
	if !ok {
		return nil
	}
	return s
}

func mirrorPolicy(t *testing.T, c conformance.Case) {
	var in struct {
		Policy, Topic string
		Config        connect.Config
	}
	decodeCase(t, c.In, &in)
	var want map[string]json.RawMessage
	decodeCase(t, c.Raw, &want)
	n := policyNamed(t, in.Policy, in.Config)
	got := map[string]any{
		"formatRemoteTopic": n.FormatRemoteTopic("A", in.Topic), "topicSource": orNull(n.TopicSource(in.Topic)), "upstreamTopic": orNull(n.UpstreamTopic(in.Topic)),
		"originalTopic": n.OriginalTopic(in.Topic), "isHeartbeatsTopic": n.IsHeartbeatsTopic(in.Topic), "isCheckpointsTopic": n.IsCheckpointsTopic(in.Topic),
		"isMM2InternalTopic": n.IsMM2InternalTopic(in.Topic), "isInternalTopic": n.IsInternalTopic(in.Topic),
	}
	for method, value := range got {
		var w mirrorResult
		decodeCase(t, want[method], &w)
		if w.Error != nil {
			t.Errorf("%s fails in Java: %s", method, w.Error.Message)
			continue
		}
		var out any
		decodeCase(t, w.Out, &out)
		if value != out {
			t.Errorf("%s: got %v, want %v", method, value, out)
		}
	}
}

func mirrorInternalTopics(t *testing.T, c conformance.Case) {
	var in struct {
		Policy, Alias string
		Config        connect.Config
	}
	decodeCase(t, c.In, &in)
	n := policyNamed(t, in.Policy, in.Config)
	var want any
	decodeCase(t, c.Out, &want)
	sameJSON(t, map[string]string{"offsetSyncsTopic": n.OffsetSyncsTopic(in.Alias), "checkpointsTopic": n.CheckpointsTopic(in.Alias), "heartbeatsTopic": n.HeartbeatsTopic()}, want)
}

// mirrorPartition is a partition as the vectors write it: ["t", 3].
type mirrorPartition struct{ connect.TopicPartition }

func (p *mirrorPartition) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.Topic, &p.Partition})
}

func (p mirrorPartition) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{p.Topic, p.Partition})
}

func mirrorOffsetSync(t *testing.T, c conformance.Case) {
	var in struct {
		TopicPartition       mirrorPartition
		Upstream, Downstream int64 `json:",string"`
	}
	decodeCase(t, c.In, &in)
	var want struct{ Key, Value []byte }
	decodeCase(t, c.Raw, &want)
	s := mirror.OffsetSync{TopicPartition: in.TopicPartition.TopicPartition, Upstream: in.Upstream, Downstream: in.Downstream}
	key, err := s.Key()
	if err != nil || string(key) != string(want.Key) || string(s.Value()) != string(want.Value) {
		t.Errorf("got %x %x, %v, want %x %x", key, s.Value(), err, want.Key, want.Value)
	}
}

func mirrorCheckpoint(t *testing.T, c conformance.Case) {
	var in struct {
		Group                string
		TopicPartition       mirrorPartition
		Upstream, Downstream int64 `json:",string"`
		Metadata             *string
	}
	decodeCase(t, c.In, &in)
	if in.Metadata == nil {
		if c.Error == nil {
			t.Fatal("no metadata, and yet no error")
		}
		return // there is always a text in Go
	}
	s := mirror.Checkpoint{Group: in.Group, TopicPartition: in.TopicPartition.TopicPartition, Upstream: in.Upstream, Downstream: in.Downstream, Metadata: *in.Metadata}
	key, err := s.Key()
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.Value()
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Key, Value       []byte
		ConnectPartition json.RawMessage
	}
	decodeCase(t, c.Out, &want)
	if string(key) != string(want.Key) || string(value) != string(want.Value) {
		t.Errorf("got %x %x, want %x %x", key, value, want.Key, want.Value)
	}
	sameFields(t, s.SourcePartition(), want.ConnectPartition)
}

// sameFields compares fields with a map of the vectors, whose order is Java's.
func sameFields(t *testing.T, got connect.Fields, want json.RawMessage) {
	t.Helper()
	m, _ := vec.Value(want, nil).(*connect.Map)
	if m == nil || m.Len() != len(got) {
		t.Fatalf("got %v, want %s", got, want)
	}
	for key, value := range m.All() {
		if g := got[key.(string)]; g != value {
			t.Errorf("%v: got %T %v, want %T %v", key, g, g, value, value)
		}
	}
}

func mirrorHeartbeat(t *testing.T, c conformance.Case) {
	var in struct {
		Source, Target string
		Timestamp      int64 `json:",string"`
	}
	decodeCase(t, c.In, &in)
	var want struct {
		Key, Value           []byte
		ConnectPartitionText string
	}
	decodeCase(t, c.Out, &want)
	h := mirror.Heartbeat{SourceAlias: in.Source, TargetAlias: in.Target, Time: time.UnixMilli(in.Timestamp)}
	key, err := h.Key()
	if err != nil || string(key) != string(want.Key) || string(h.Value()) != string(want.Value) {
		t.Errorf("got %x %x, %v, want %x %x", key, h.Value(), err, want.Key, want.Value)
	}
	var partition map[string]any
	decodeCase(t, json.RawMessage(want.ConnectPartitionText), &partition)
	sameJSON(t, h.SourcePartition(), partition)
}

func mirrorDecode(t *testing.T, c conformance.Case) {
	var in struct{ Key, Value []byte }
	decodeCase(t, c.In, &in)
	var want struct{ OffsetSync, Checkpoint, Heartbeat mirrorResult }
	decodeCase(t, c.Raw, &want)
	num := func(n int64) string { return strconv.FormatInt(n, 10) }
	s, err := mirror.DecodeOffsetSync(in.Key, in.Value)
	sameResult(t, "offset sync", want.OffsetSync, map[string]any{"topicPartition": mirrorPartition{s.TopicPartition}, "upstream": num(s.Upstream), "downstream": num(s.Downstream)}, err)
	p, err := mirror.DecodeCheckpoint(in.Key, in.Value)
	sameResult(t, "checkpoint", want.Checkpoint, map[string]any{
		"group": p.Group, "topicPartition": mirrorPartition{p.TopicPartition}, "upstream": num(p.Upstream), "downstream": num(p.Downstream), "metadata": p.Metadata,
	}, err)
	h, err := mirror.DecodeHeartbeat(in.Key, in.Value)
	sameResult(t, "heartbeat", want.Heartbeat, map[string]any{"source": h.SourceAlias, "target": h.TargetAlias, "timestamp": num(h.Time.UnixMilli())}, err)
}

// sameResult compares a result, or that there is an error: its text is Java's own.
func sameResult(t *testing.T, what string, want mirrorResult, got any, err error) {
	t.Helper()
	if (want.Error != nil) != (err != nil) {
		t.Errorf("%s: error %v, want %v", what, err, want.Error)
		return
	}
	if err == nil {
		var w any
		decodeCase(t, want.Out, &w)
		sameJSONTree(t, what, got, w)
	}
}

func sameJSONTree(t *testing.T, what string, got, want any) {
	t.Helper()
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	decodeCase(t, b, &tree)
	g, _ := json.Marshal(tree)
	if w, _ := json.Marshal(want); string(g) != string(w) {
		t.Errorf("%s: got  %s\nwant %s", what, g, w)
	}
}

// mirrorFilter compares what a filter says of names.
func mirrorFilter[T any](t *testing.T, c conformance.Case, make func(connect.Config) (T, error), ask func(f T, name string) any) {
	t.Helper()
	var in connect.Config
	decodeCase(t, c.In, &in)
	f, err := make(in)
	sameError(t, c, err)
	if err != nil {
		return
	}
	var want map[string]any
	decodeCase(t, c.Out, &want)
	got := map[string]any{}
	for name := range want {
		got[name] = ask(f, name)
	}
	sameJSON(t, got, want)
}

func mirrorTopicFilter(t *testing.T, c conformance.Case) {
	mirrorFilter(t, c, mirror.NewDefaultTopicFilter, func(f *mirror.DefaultTopicFilter, name string) any { return f.ShouldReplicateTopic(name) })
}

func mirrorGroupFilter(t *testing.T, c conformance.Case) {
	mirrorFilter(t, c, mirror.NewDefaultGroupFilter, func(f *mirror.DefaultGroupFilter, name string) any { return f.ShouldReplicateGroup(name) })
}

func mirrorConfigFilter(t *testing.T, c conformance.Case) {
	mirrorFilter(t, c, mirror.NewDefaultConfigPropertyFilter, func(f *mirror.DefaultConfigPropertyFilter, name string) any {
		return []bool{f.ShouldReplicateConfigProperty(name), f.ShouldReplicateSourceDefault(name)}
	})
}

// flowConfig is the configuration of a flow such as A->B.
func flowConfig(flow string, more connect.Config) connect.Config {
	source, target, _ := strings.Cut(flow, "->")
	cfg := connect.Config{"name": "m", "connector.class": mirror.SourceClass, "source.cluster.alias": source, "target.cluster.alias": target}
	for key, value := range more {
		cfg[key] = value
	}
	return cfg
}

func sourceConfig(t *testing.T, cfg connect.Config) *mirror.SourceConfig {
	t.Helper()
	c, err := mirror.Options{}.ParseSourceConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mirrorShouldReplicate(t *testing.T, c conformance.Case) {
	var in struct {
		Flow, Policy                 string
		Filter                       connect.Config
		HeartbeatsReplicationEnabled bool
	}
	decodeCase(t, c.In, &in)
	cfg := flowConfig(in.Flow, in.Filter)
	cfg["replication.policy.class"] = "org.apache.kafka.connect.mirror." + in.Policy
	cfg["heartbeats.replication.enabled"] = strconv.FormatBool(in.HeartbeatsReplicationEnabled)
	s := sourceConfig(t, cfg)
	var want map[string]any
	decodeCase(t, c.Out, &want)
	got := map[string]any{}
	for topic := range want {
		got[topic] = []any{s.ShouldReplicate(topic), s.IsCycle(topic), s.RemoteTopic(topic)}
	}
	sameJSON(t, got, want)
}

// mirrorTargetConfig describes settings of every source: SOURCE0 is an ordinary one, 1 can't be changed, 2 is secret, 3 is excluded.
func mirrorTargetConfig(t *testing.T, c conformance.Case) {
	var in struct {
		Incremental bool
		Defaults    string `json:"use.defaults.from"`
	}
	decodeCase(t, c.In, &in)
	s := sourceConfig(t, flowConfig("A->B", connect.Config{"use.defaults.from": in.Defaults, "config.properties.exclude": ".*3"}))
	var settings []mirror.TopicConfig
	for source := kmsg.ConfigSourceUnknown; source <= kmsg.ConfigSourceGroupConfig; source++ {
		name := source.String()
		for i := range 4 {
			settings = append(settings, mirror.TopicConfig{Name: name + strconv.Itoa(i), Source: source, ReadOnly: i == 1, Sensitive: i == 2})
		}
	}
	got := []string{}
	for _, setting := range s.TargetConfigs(settings, in.Incremental) {
		got = append(got, javaConfigSource(setting.Name))
	}
	slices.Sort(got)
	var want []string
	decodeCase(t, c.Out, &want)
	sameJSON(t, got, want)
}

// javaConfigSource returns the name that Java gives a source of settings.
func javaConfigSource(name string) string {
	name = strings.NewReplacer("CLIENT_METRICS_CONFIG", "DYNAMIC_CLIENT_METRICS_CONFIG", "GROUP_CONFIG", "DYNAMIC_GROUP_CONFIG").Replace(name)
	return strings.ReplaceAll(name, "DYNAMIC_DYNAMIC_", "DYNAMIC_")
}

func mirrorACL(t *testing.T, c conformance.Case) {
	var in struct{ Flow, Topic, Principal, Host, Operation, Permission string }
	decodeCase(t, c.In, &in)
	s := sourceConfig(t, flowConfig(in.Flow, nil))
	var op kmsg.ACLOperation
	for op = range 16 {
		if javaOperation(op) == in.Operation {
			break
		}
	}
	var permission kmsg.ACLPermissionType
	for permission = range 4 {
		if permission.String() == in.Permission {
			break
		}
	}
	target, ok := s.TargetACL(mirror.TopicACL{Topic: in.Topic, Principal: in.Principal, Host: in.Host, Operation: op, Permission: permission})
	if c.Error != nil {
		if ok {
			t.Errorf("got %v, want none: %s", target, c.Error.Message)
		}
		return
	}
	var want any
	decodeCase(t, c.Out, &want)
	sameJSONTree(t, "rule", map[string]any{
		"shouldReplicate": ok, "resource": "TOPIC", "name": target.Topic, "patternType": "LITERAL", "principal": target.Principal, "host": target.Host,
		"operation": javaOperation(target.Operation), "permission": target.Permission.String(),
	}, want)
}

// javaOperation returns Java's name of an operation. kmsg has none for the newest.
func javaOperation(op kmsg.ACLOperation) string {
	if op == 15 {
		return "TWO_PHASE_COMMIT"
	}
	return op.String()
}

func mirrorTopicPartition(t *testing.T, c conformance.Case) {
	var in string
	decodeCase(t, c.In, &in)
	tp, err := mirror.DecodeTopicPartition(in)
	if (c.Error != nil) != (err != nil) {
		t.Fatalf("error %v, want %v", err, c.Error)
	}
	if err == nil {
		var want any
		decodeCase(t, c.Out, &want)
		sameJSONTree(t, "partition", map[string]any{"topic": tp.Topic, "partition": tp.Partition, "encoded": tp.String()}, want)
	}
}

func mirrorTaskConfigs(t *testing.T, c conformance.Case) {
	var in struct {
		MaxTasks        int
		TopicPartitions []string
		Groups          []string
	}
	decodeCase(t, c.In, &in)
	var want struct{ Source, Checkpoint mirrorResult }
	decodeCase(t, c.Raw, &want)
	var partitions []connect.TopicPartition
	for _, text := range in.TopicPartitions {
		tp, err := mirror.DecodeTopicPartition(text)
		if err != nil {
			t.Fatal(err)
		}
		partitions = append(partitions, tp)
	}
	cfg := flowConfig("A->B", nil)
	p, err := mirror.Options{}.ParseCheckpointConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	of := func(configs []connect.Config, key string) []connect.Config {
		own := []connect.Config{}
		for _, c := range configs {
			own = append(own, connect.Config{key: c[key], "task.index": c["task.index"]})
		}
		return own
	}
	sameResult(t, "source", want.Source, of(sourceConfig(t, cfg).TaskConfigs(partitions, in.MaxTasks), "task.assigned.partitions"), nil)
	sameResult(t, "checkpoint", want.Checkpoint, of(p.TaskConfigs(in.Groups, in.MaxTasks), "task.assigned.groups"), nil)
}

func mirrorClient(t *testing.T, c conformance.Case) {
	var in struct {
		Policy string
		Config connect.Config
		Topics []string
	}
	decodeCase(t, c.In, &in)
	client := policyNamed(t, in.Policy, in.Config)
	hops := map[string]int{}
	for _, alias := range []string{"A", "B", "C", "us-east", "D"} {
		hops[alias] = client.ReplicationHops(in.Topics, alias)
	}
	list := func(names []string) []string { return append([]string{}, names...) }
	var want any
	decodeCase(t, c.Out, &want)
	sameJSONTree(t, "client", map[string]any{
		"replicationHops": hops, "heartbeatTopics": list(client.HeartbeatTopics(in.Topics)), "checkpointTopics": list(client.CheckpointTopics(in.Topics)),
		"upstreamClusters": list(client.UpstreamClusters(in.Topics)), "remoteTopics": list(client.RemoteTopics(in.Topics, "")),
		"remoteTopicsOfA": list(client.RemoteTopics(in.Topics, "A")),
	}, want)
}

func mirrorAlterOffsets(t *testing.T, c conformance.Case) {
	var in struct{ Partition, Offset json.RawMessage }
	decodeCase(t, c.In, &in)
	var want map[string]json.RawMessage
	decodeCase(t, c.Raw, &want)
	for name, class := range map[string]string{"source": mirror.SourceClass, "checkpoint": mirror.CheckpointClass, "heartbeat": mirror.HeartbeatClass} {
		var w mirrorResult
		decodeCase(t, want[name], &w)
		alterer, ok := connect.As[connect.OffsetAlterer](mirrorConnector(t, class))
		if !ok {
			t.Fatalf("%s takes any offset", class)
		}
		err := alterer.AlterOffsets(t.Context(), flowConfig("A->B", nil), []connect.PartitionOffset{{Partition: vectorFields(in.Partition), Offset: vectorFields(in.Offset)}})
		switch {
		case (w.Error != nil) != (err != nil):
			t.Errorf("%s: error %v, want %v", name, err, w.Error)
		case err != nil && strings.HasPrefix(w.Error.Class, "org.apache.kafka.") && err.Error() != w.Error.Message:
			t.Errorf("%s: got  %q\nwant %q", name, err, w.Error.Message)
		}
	}
}

func mirrorConnector(t *testing.T, class string) connect.SourceConnector {
	t.Helper()
	p, ok := new(connect.Registry).MustAdd(mirror.Plugins(mirror.Options{})...).Source(class)
	if !ok {
		t.Fatalf("no plugin %s", class)
	}
	return p.New()
}
