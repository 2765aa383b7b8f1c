package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/plugin/mirror"
)

func TestMirrorConfig(t *testing.T) {
	features := map[string]func(*testing.T, conformance.Case){
		"flows": flowsOf, "cluster": flowsCluster, "client": flowsClient, "worker": flowsWorker, "connector": flowsConnector, "derived": mirrorDerived,
		"direct": mirrorDerived, "validate": mirrorValidate,
	}
	conformance.Run(t, "control/mirror-config.jsonl", func(t *testing.T, c conformance.Case) {
		name := strings.Split(strings.TrimPrefix(c.ID, "control.mirror-config."), ".")[0]
		check, ok := features[name]
		if !ok {
			t.Fatalf("nothing runs %s", name)
		}
		check(t, c)
	})
}

// sameOut compares a result with the one of the case.
func sameOut(t *testing.T, c conformance.Case, got any) {
	t.Helper()
	var want any
	decodeCase(t, c.Out, &want)
	sameJSONTree(t, "result", got, want)
}

func flowsOf(t *testing.T, c conformance.Case) {
	var in connect.Config
	decodeCase(t, c.In, &in)
	f, err := mirror.Options{}.ParseFlows(in)
	sameError(t, c, err)
	if err != nil {
		return
	}
	names, clusters := []string{}, append([]string{}, f.Clusters()...)
	for _, flow := range f.All() {
		names = append(names, flow.String())
	}
	slices.Sort(names) // Java's order is that of a hash set
	slices.Sort(clusters)
	sameOut(t, c, map[string]any{"clusters": clusters, "flows": names, "internalRest": f.InternalREST()})
}

// flowsCase is the input of a case about one cluster or flow of a file.
type flowsCase struct {
	File                     connect.Config
	Cluster, Flow, Connector string
}

func (in flowsCase) parse(t *testing.T) (*mirror.Flows, mirror.Flow) {
	t.Helper()
	f, err := mirror.Options{}.ParseFlows(in.File)
	if err != nil {
		t.Fatal(err)
	}
	source, target, _ := strings.Cut(in.Flow, "->")
	return f, mirror.Flow{Source: source, Target: target}
}

func flowsCluster(t *testing.T, c conformance.Case) {
	var in flowsCase
	decodeCase(t, c.In, &in)
	f, _ := in.parse(t)
	sameOut(t, c, f.Cluster(in.Cluster))
}

func flowsWorker(t *testing.T, c conformance.Case) {
	var in flowsCase
	decodeCase(t, c.In, &in)
	f, flow := in.parse(t)
	sameOut(t, c, f.Worker(flow))
}

func flowsConnector(t *testing.T, c conformance.Case) {
	var in flowsCase
	decodeCase(t, c.In, &in)
	f, flow := in.parse(t)
	sameOut(t, c, f.Connector(flow, in.Connector))
}

func flowsClient(t *testing.T, c conformance.Case) {
	var in flowsCase
	decodeCase(t, c.In, &in)
	f, _ := in.parse(t)
	client, err := f.Client(in.Cluster)
	sameError(t, c, err)
	if err != nil {
		return
	}
	got := map[string]any{"policy": strings.TrimPrefix(fmt.Sprintf("%T", client.Naming.ReplicationPolicy), "*mirror.")}
	for _, kind := range []string{"admin", "consumer", "producer"} {
		values, err := client.Values(kind)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for key, value := range values {
			texts[key] = javaValue(value)
			if strings.HasSuffix(key, ".class") || strings.HasPrefix(key, "sasl.oauthbearer.jwt.") {
				texts[key] = "class " + texts[key]
			}
		}
		got[kind] = texts
	}
	sameOut(t, c, got)
}

// javaValue returns a value as Java prints it.
func javaValue(value any) string {
	if list, ok := value.([]string); ok {
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprint(value)
}

// noFilter takes the place of Kafka's topic filter, whose patterns are compared elsewhere: recorded configurations have
// placeholders there that are not resolved yet.
type noFilter struct{}

func (noFilter) ShouldReplicateTopic(string) bool { return false }

var withoutFilter = mirror.Options{TopicFilters: map[string]func(connect.Config) (mirror.TopicFilter, error){
	mirror.DefaultTopicFilterClass: func(connect.Config) (mirror.TopicFilter, error) { return noFilter{}, nil },
}}

func millis(d time.Duration) int64 { return d.Milliseconds() }

// mirrorDerived compares what follows from a connector's configuration.
func mirrorDerived(t *testing.T, c conformance.Case) {
	var in struct {
		ConnectorConfig connect.Config
		Connector       string
	}
	decodeCase(t, c.In, &in)
	got := map[string]any{}
	var base *mirror.Config
	var err error
	switch in.Connector {
	case "MirrorSourceConnector":
		var s *mirror.SourceConfig
		if s, err = withoutFilter.ParseSourceConfig(in.ConnectorConfig); err == nil {
			base = &s.Config
			derivedSource(t, s, got)
		}
	case "MirrorCheckpointConnector":
		var p *mirror.CheckpointConfig
		if p, err = withoutFilter.ParseCheckpointConfig(in.ConnectorConfig); err == nil {
			base = &p.Config
			derivedCheckpoint(p, got)
		}
	default:
		var h *mirror.HeartbeatConfig
		if h, err = withoutFilter.ParseHeartbeatConfig(in.ConnectorConfig); err == nil {
			base = &h.Config
			got["heartbeatsTopic"], got["emitHeartbeatsMs"] = h.Naming.HeartbeatsTopic(), millis(h.Interval)
			got["taskConfigs"] = h.TaskConfigs()
		}
	}
	sameError(t, c, err)
	if err != nil {
		return
	}
	got["connectorName"], got["enabled"], got["entityLabel"], got["adminTimeoutMs"] = base.Name, base.Enabled, base.Label(), millis(base.AdminTimeout)
	got["replicationPolicy"] = strings.TrimPrefix(fmt.Sprintf("%T", base.Naming.ReplicationPolicy), "*mirror.")
	for side, prefix := range map[mirror.Side]string{mirror.Source: "source", mirror.Target: "target"} {
		got[prefix+"Producer"], got[prefix+"Consumer"] = base.ProducerProperties(side, "ROLE"), base.ConsumerProperties(side, "ROLE")
		got[prefix+"Admin"] = base.AdminProperties(side, "ROLE")
	}
	sameOut(t, c, got)
}

func location(s mirror.OffsetSyncsTopic) string { return string(s.Side()) }

func derivedSource(t *testing.T, s *mirror.SourceConfig, got map[string]any) {
	t.Helper()
	syncs := s.OffsetSyncs
	got["offsetSyncsTopic"], got["offsetSyncsTopicLocation"] = syncs.Name, location(syncs)
	got["offsetSyncsAdmin"], got["offsetSyncsProducer"] = s.AdminProperties(syncs.Side(), syncs.Role("admin")), s.ProducerProperties(syncs.Side(), syncs.Role("producer"))
	got["checkpointsTopic"] = s.Naming.CheckpointsTopic(s.SourceAlias)
	got["refreshTopicsMs"], got["syncConfigsMs"], got["syncAclsMs"] = millis(s.RefreshTopics), millis(s.SyncTopicConfigs), millis(s.SyncTopicACLs)
	got["pollTimeoutMs"], got["replicationFactor"], got["maxOffsetLag"] = millis(s.PollTimeout), s.ReplicationFactor, s.MaxOffsetLag
	// The recorded task is the fifth, with these partitions.
	partitions := make([]connect.TopicPartition, 5)
	partitions[4] = connect.TopicPartition{Topic: "t"}
	partitions = append(partitions, make([]connect.TopicPartition, 4)...)
	partitions = append(partitions, connect.TopicPartition{Topic: "u-1", Partition: 2})
	cfg := s.TaskConfigs(partitions, 5)[4]
	got["taskConfig"] = cfg
	task, err := withoutFilter.ParseSourceTaskConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got["taskEntityLabel"], got["taskSourceConsumer"] = task.Label(), task.ConsumerProperties(mirror.Source, "ROLE")
}

func derivedCheckpoint(p *mirror.CheckpointConfig, got map[string]any) {
	syncs := p.OffsetSyncs
	got["offsetSyncsTopic"], got["offsetSyncsTopicLocation"] = syncs.Name, location(syncs)
	got["offsetSyncsConsumer"], got["offsetSyncsAdmin"] = p.ConsumerProperties(syncs.Side(), syncs.Role("consumer")), p.AdminProperties(syncs.Side(), syncs.Role("admin"))
	got["checkpointsTopic"] = p.Naming.CheckpointsTopic(p.SourceAlias)
	got["emitCheckpointsMs"], got["refreshGroupsMs"], got["syncGroupOffsetsMs"] = millis(p.EmitCheckpoints), millis(p.RefreshGroups), millis(p.SyncGroupOffsets)
	got["pollTimeoutMs"] = millis(p.PollTimeout)
	// The recorded task is the third of some, with these groups.
	got["taskConfig"] = p.TaskConfigs([]string{"a", "b", "c", "d", "g1", "g 2"}, 3)[2]
}

func mirrorValidate(t *testing.T, c conformance.Case) {
	var in connect.Config
	decodeCase(t, c.In, &in)
	var want struct{ Source, Checkpoint, Heartbeat, ExactlyOnceSupport mirrorResult }
	decodeCase(t, c.Raw, &want)
	for class, w := range map[string]mirrorResult{mirror.SourceClass: want.Source, mirror.CheckpointClass: want.Checkpoint, mirror.HeartbeatClass: want.Heartbeat} {
		reg := new(connect.Registry).MustAdd(mirror.Plugins(mirror.Options{})...)
		p, _ := reg.Source(class)
		values := p.Config.Validate(in)
		err := p.New().(connect.Validator).Validate(t.Context(), in, values)
		got := map[string][]string{}
		for key, value := range values {
			if len(value.Errors) > 0 {
				got[key] = value.Errors
			}
		}
		sameResult(t, class, w, got, err)
	}
	support, err := mirrorConnector(t, mirror.SourceClass).(connect.ExactlyOnceReporter).ExactlyOnceSupport(in)
	name := map[connect.ExactlyOnceSupport]string{connect.ExactlyOnceSupported: "SUPPORTED", connect.ExactlyOnceUnsupported: "UNSUPPORTED"}[support]
	sameResult(t, "exactly once", want.ExactlyOnceSupport, name, err)
}
