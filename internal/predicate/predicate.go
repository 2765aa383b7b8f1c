// Package predicate holds the predicates of Kafka Connect 4.3.0 under their Java class names: [Plugins] describes them.
// They change nothing and cost no allocation.
package predicate

import "github.com/gokconnect/connect"

// Plugins returns the descriptors of all predicates. The caller owns the slice.
func Plugins() []connect.Plugin {
	return []connect.Plugin{
		plugin("HasHeaderKey", hasHeaderKeyDef(), newHasHeaderKey),
		plugin("RecordIsTombstone", connect.MustConfigDef(), newRecordIsTombstone),
		plugin("TopicNameMatches", topicNameMatchesDef(), newTopicNameMatches),
	}
}

func plugin(name string, def *connect.ConfigDef, make func(*connect.ParsedConfig) (connect.Predicate, error)) connect.PredicatePlugin {
	return connect.PredicatePlugin{
		PluginInfo: connect.PluginInfo{Class: "org.apache.kafka.connect.transforms.predicates." + name, Version: "4.3.0", Config: def},
		New: func(cfg connect.Config) (connect.Predicate, error) {
			c, err := def.Parse(cfg)
			if err != nil {
				return nil, err
			}
			return make(c)
		},
	}
}

// KeepsNothing says that a predicate keeps nothing of the records that it tests, so that they may be changed after it.
func (hasHeaderKey) KeepsNothing() {}

// KeepsNothing says that a predicate keeps nothing of the records that it tests.
func (recordIsTombstone) KeepsNothing() {}

// KeepsNothing says that a predicate keeps nothing of the records that it tests.
func (*topicNameMatches) KeepsNothing() {}
