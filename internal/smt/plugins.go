package smt

import "github.com/gokconnect/connect"

// version is the version of Kafka Connect whose transformations these are.
const version = "4.3.0"

const classPrefix = "org.apache.kafka.connect.transforms."

// kind describes a transformation. make gets the part that the name of its class ends in; one without bothParts
// ignores it.
type kind struct {
	name  string
	parts bool
	def   *connect.ConfigDef
	make  func(part, *connect.ParsedConfig) (connect.Transformation, error)
}

// bothParts is for a transformation that there is of for keys and for values.
const bothParts = true

// Plugins returns the descriptors of all transformations, each class once: those that work on keys or on values have
// two, with the suffixes $Key and $Value. The caller owns the slice.
func Plugins() []connect.Plugin {
	var plugins []connect.Plugin
	for _, k := range []kind{
		castKind(), dropHeadersKind(), extractFieldKind(), filterKind(), flattenKind(), headerFromKind(), hoistFieldKind(),
		insertFieldKind(), insertHeaderKind(), maskFieldKind(), regexRouterKind(), replaceFieldKind(), setSchemaMetadataKind(),
		timestampConverterKind(), timestampRouterKind(),
		valueToKeyKind(),
	} {
		if !k.parts {
			plugins = append(plugins, k.plugin(valuePart, ""))
			continue
		}
		plugins = append(plugins, k.plugin(keyPart, keyPart.suffix()), k.plugin(valuePart, valuePart.suffix()))
	}
	return plugins
}

func (k kind) plugin(p part, suffix string) connect.TransformationPlugin {
	return connect.TransformationPlugin{
		PluginInfo: connect.PluginInfo{Class: classPrefix + k.name + suffix, Version: version, Config: k.def},
		New: func(cfg connect.Config) (connect.Transformation, error) {
			c, err := k.def.Parse(cfg)
			if err != nil {
				return nil, err
			}
			return k.make(p, c)
		},
	}
}

// replaceNullKey is the key that every transformation has that copies fields.
var replaceNullKey = connect.ConfigKey{
	Name: "replace.null.with.default", Type: connect.ConfigBoolean, Default: true, Importance: connect.Medium,
	Documentation: "Whether to replace fields that have a default value and that are null to the default value. When set to true, " +
		"the default value is used, otherwise null is used.",
}

func nullsOf(c *connect.ParsedConfig) nulls { return nulls(c.Bool(replaceNullKey.Name)) }

// colonPairs describes what Cast and ReplaceField take.
const colonPairs = "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>"

// items returns the value of a LIST as a validator gets it.
func items(value any) []string {
	switch v := value.(type) {
	case []string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i], _ = v[i].(string)
		}
		return texts
	}
	return nil
}
