package mirror_test

import (
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// set changes a setting of a topic; an empty value removes it.
func set(t *testing.T, adm *kadm.Client, topic, name, value string) {
	t.Helper()
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value}
	if value == "" {
		change = kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name}
	}
	changed, err := adm.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{change}, topic)
	if err == nil {
		_, err = changed.On(topic, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestSettingsAreSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1, "retention.ms", "1000", "min.insync.replicas", "1")
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "sync.topic.configs.interval.seconds", "2")})
		setting := func(name string) string {
			if i := p.b.TopicInfo("A.t"); i != nil && i.Configs[name] != nil {
				return *i.Configs[name]
			}
			return ""
		}
		p.await("the topic", func() bool { return setting("retention.ms") == "1000" })
		if got := setting("min.insync.replicas"); got != "" {
			t.Errorf("min.insync.replicas was copied: %q", got)
		}
		adm := kadm.NewClient(p.a.Client())
		set(t, adm, "t", "retention.ms", "2000")
		set(t, adm, "t", "max.message.bytes", "5000")
		p.await("changed settings", func() bool { return setting("retention.ms") == "2000" && setting("max.message.bytes") == "5000" })
		set(t, adm, "t", "max.message.bytes", "")
		p.await("a setting that was removed", func() bool { return setting("max.message.bytes") == "" })
	})
}

func TestAccessRulesAreSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		p.a.MustCreateTopic("other", 1)
		adm := kadm.NewClient(p.a.Client())
		rules := kadm.NewACLs().Topics("t", "other").Allow("User:app").AllowHosts("*").Operations(kadm.OpAll, kadm.OpWrite, kadm.OpDescribe).ResourcePatternType(kadm.ACLPatternLiteral)
		if _, err := adm.CreateACLs(t.Context(), rules); err != nil {
			t.Fatal(err)
		}
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t", "sync.topic.acls.interval.seconds", "2")})
		got := func() map[string]bool {
			found := map[string]bool{}
			all, err := kadm.NewClient(p.b.Client()).DescribeACLs(t.Context(), kadm.NewACLs().AnyResource().Allow().AllowHosts().Deny().DenyHosts().Operations().ResourcePatternType(kadm.ACLPatternAny))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				for _, d := range r.Described {
					found[d.Name+" "+d.Principal+" "+d.Operation.String()] = true
				}
			}
			return found
		}
		p.await("rules", func() bool { return len(got()) > 0 })
		want := map[string]bool{"A.t User:app READ": true, "A.t User:app DESCRIBE": true}
		if rules := got(); len(rules) != len(want) || !rules["A.t User:app READ"] || !rules["A.t User:app DESCRIBE"] {
			t.Errorf("rules %v, want %v", rules, want)
		}
	})
}

// A target that can't alter settings incrementally fails the connector; what it copies goes on.
func TestTargetIsTooOldForSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.a.MustCreateTopic("t", 1)
		produce(p.a, "t", 1, 0, 10)
		p.b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.IncrementalAlterConfigs}, Err: kerr.UnsupportedVersion})
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "topics", "t")})
		p.await("the connector fails", func() bool {
			s, err := p.rt.Status(t.Context(), "source")
			return err == nil && s.Err != nil
		})
		p.awaitValues(p.b, "A.t", 10)
	})
}
