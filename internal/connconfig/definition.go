package connconfig

import (
	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// Kafka's names of keys that are read in more than one place.
const (
	nameKey    = "name"
	classKey   = "connector.class"
	versionKey = "connector.plugin.version"

	topicsKey      = "topics"
	topicsRegexKey = "topics.regex"
	dlqTopicKey    = "errors.deadletterqueue.topic.name"

	dlqReplicationKey = "errors.deadletterqueue.topic.replication.factor"
	dlqHeadersKey     = "errors.deadletterqueue.context.headers.enable"

	exactlyOnceKey   = "exactly.once.support"
	boundaryKey      = "transaction.boundary"
	offsetsTopicKey  = "offsets.storage.topic"
	versionSuffix    = "plugin.version"
	converterTypeKey = "converter.type"
)

// converterKeys are the keys that name converters.
var converterKeys = [...]struct {
	key  string
	base base
	role string
}{
	{"key.converter", converterBase, "key"},
	{"value.converter", converterBase, "value"},
	{"header.converter", headerConverterBase, "header"},
}

// SourceDef returns the definition that all source connectors share. Classes are checked against the registry, unless it
// is nil.
func SourceDef(reg *connect.Registry) *connect.ConfigDef {
	return plugins{reg}.define(sourceKeys(), nil)
}

// SinkDef is [SourceDef] for sink connectors.
func SinkDef(reg *connect.Registry) *connect.ConfigDef {
	return plugins{reg}.define(sinkKeys(), nil)
}

// define returns the common keys and more, changed by with if that is not nil.
func (p plugins) define(more []connect.ConfigKey, with func(*connect.ConfigKey)) *connect.ConfigDef {
	keys := append(commonKeys(), more...)
	for i := range keys {
		for _, c := range converterKeys {
			if keys[i].Name == c.key {
				keys[i].Validator = p.concrete(c.base)
			}
		}
		if with != nil {
			with(&keys[i])
		}
	}
	return connect.MustConfigDef(keys...).WithClasses(p.find)
}

// concrete is the validator of a key that names a plugin of a kind.
func (p plugins) concrete(b base) connect.ConfigValidator {
	return connect.ConfigCheck("A concrete subclass of "+b.class+", A class with a public, no-argument constructor", func(_ string, value any) error {
		class, ok := value.(string)
		if !ok {
			return nil
		}
		return p.check(b, class)
	})
}

// enriched returns the definition for one connector's configuration: with the versions and converters that it uses as
// defaults, and with its transformations and predicates.
func (p plugins) enriched(more []connect.ConfigKey, w Worker, given map[string]any, kind connect.Kind, class string) (*connect.ConfigDef, error) {
	text := func(key string) string {
		s, _ := given[key].(string)
		return s
	}
	defaults := map[string]ConverterChoice{"key.converter": w.KeyConverter, "value.converter": w.ValueConverter, "header.converter": w.HeaderConverter}
	def := p.define(more, func(k *connect.ConfigKey) {
		p.recommend(k)
		if k.Name == versionKey {
			if info, ok := p.info(kind, class, nil); ok {
				k.Default = info.Version
			}
		}
		for _, c := range converterKeys {
			switch k.Name {
			case c.key:
				if worker := defaults[c.key]; worker.Class != "" {
					k.Default, _ = p.find(worker.Class)
				}
			case c.key + "." + versionSuffix:
				if given[c.key] != nil { // a null is the worker's
					k.Default = p.version(c.base, text(c.key))
				} else {
					k.Default = p.version(c.base, defaults[c.key].Class)
				}
			}
		}
	})
	return p.addStages(def, given, false)
}

// recommend adds the recommenders of classes and versions.
func (p plugins) recommend(k *connect.ConfigKey) {
	if k.Name == versionKey {
		k.Recommender = versionsOf{p, classKey, false, []connect.Kind{connect.KindSource, connect.KindSink}}
	}
	for _, c := range converterKeys {
		switch k.Name {
		case c.key:
			k.Recommender = classes{p, c.base.kind}
		case c.key + "." + versionSuffix:
			k.Recommender = versionsOf{p, c.key, true, []connect.Kind{c.base.kind}}
		}
	}
}

// uniqueAliases refuses null and aliases that are there twice.
func uniqueAliases(description string) connect.ConfigValidator {
	return connect.AllOf(connect.NonNull(), connect.ConfigCheck(description, func(key string, value any) error {
		aliases, _ := value.([]string)
		seen := make(map[string]bool, len(aliases))
		for _, alias := range aliases {
			if seen[alias] {
				return connect.InvalidValue(key, value, "Duplicate alias provided.")
			}
			seen[alias] = true
		}
		return nil
	}))
}

func validRegex() connect.ConfigValidator {
	return connect.ValidRegex(func(pattern string) error {
		_, err := javaregexp.Compile(pattern)
		return err
	})
}
