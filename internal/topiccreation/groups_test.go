package topiccreation

import (
	"testing"

	"github.com/gokconnect/connect"
)

func TestListedDefaultKeepsItsPlace(t *testing.T) {
	groups, err := Parse(connect.Config{
		groupsKey: "default,g", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1",
		"topic.creation.g.include": "(?=x)x.*", // look-ahead: Java's regular expressions
	})
	if err != nil {
		t.Fatal(err)
	}
	if all := groups.All(); len(all) != 2 || all[0].Name() != "default" || all[1].Name() != "g" {
		t.Errorf("groups %v", all)
	}
	for topic, want := range map[string]string{"xy": "g", "y": "default"} {
		group, err := groups.Find(topic)
		if err != nil {
			t.Fatal(err)
		}
		if group.Name() != want {
			t.Errorf("%s is in %s, want %s", topic, group.Name(), want)
		}
	}
}

func TestGroupsInheritAndDoNotShare(t *testing.T) {
	groups, err := Parse(connect.Config{
		groupsKey: "a,a.b", "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "2",
		"topic.creation.a.include": "a", "topic.creation.a.retention.ms": "1", "topic.creation.a.b.include": "b",
	})
	if err != nil {
		t.Fatal(err)
	}
	group, err := groups.Find("a")
	if err != nil {
		t.Fatal(err)
	}
	first := group.NewTopic("a")
	if first.Partitions != 3 || first.ReplicationFactor != 2 {
		t.Errorf("got %v", first)
	}
	first.Configs["retention.ms"] = "changed"
	// b.include is the configuration of group a as well: Kafka tells groups and keys apart by the prefix alone.
	if again := group.NewTopic("a").String(); again != "(name=a, numPartitions=3, replicationFactor=2, replicasAssignments=null, configs={b.include=b, retention.ms=1})" {
		t.Errorf("got %s", again)
	}
}

func TestNoTopicCreation(t *testing.T) {
	groups, err := Parse(connect.Config{"name": "c"})
	if groups != nil || err != nil {
		t.Errorf("got %v, %v", groups, err)
	}
	if groups.All() != nil {
		t.Error("no configuration, but groups")
	}
}

func BenchmarkFind(b *testing.B) {
	groups, err := Parse(connect.Config{
		groupsKey: "g", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1",
		"topic.creation.g.include": "orders\\..*",
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := groups.Find("orders.eu"); err != nil {
			b.Fatal(err)
		}
	}
}
