package jsonconv

import (
	"strings"
	"unicode"

	"github.com/gokconnect/connect"
)

// Class is the name that configurations give the converter.
const Class = "org.apache.kafka.connect.json.JsonConverter"

const version = "4.3.0"

// Plugin returns the descriptor of the converter for keys and values.
func Plugin() connect.ConverterPlugin {
	def := ConfigDef()
	return connect.ConverterPlugin{
		PluginInfo: connect.PluginInfo{Class: Class, Version: version, Config: def},
		New: func(cfg connect.Config, role connect.Role) (connect.Converter, error) {
			given := connect.Config{"converter.type": role.String()}
			for k, v := range cfg {
				if k != "converter.type" {
					given[k] = v
				}
			}
			return configure(def, given)
		},
	}
}

// HeaderPlugin returns the descriptor of the converter for headers. Its configuration must say converter.type=header,
// which the runtime sees to.
func HeaderPlugin() connect.HeaderConverterPlugin {
	def := ConfigDef()
	return connect.HeaderConverterPlugin{
		PluginInfo: connect.PluginInfo{Class: Class, Version: version, Config: def},
		New:        func(cfg connect.Config) (connect.HeaderConverter, error) { return configure(def, cfg) },
	}
}

// ConfigDef returns the definition of the converter's configuration.
func ConfigDef() *connect.ConfigDef {
	return connect.MustConfigDef(
		connect.ConfigKey{
			Name: "converter.type", Type: connect.ConfigString, Default: connect.Required,
			Validator: connect.ValidString("key", "value", "header"), Importance: connect.Low,
			Documentation: "How this converter will be used.",
		},
		connect.ConfigKey{
			Name: "schemas.enable", Type: connect.ConfigBoolean, Default: true, Importance: connect.High,
			Documentation: "Include schemas within each of the serialized values and keys.",
			Group:         "Schemas", Order: 0, Width: connect.WidthMedium, DisplayName: "Enable Schemas",
		},
		connect.ConfigKey{
			Name: "schemas.cache.size", Type: connect.ConfigInt, Default: defaultCacheSize, Importance: connect.High,
			Documentation: "The maximum number of schemas that can be cached in this converter instance.",
			Group:         "Schemas", Order: 1, Width: connect.WidthMedium, DisplayName: "Schema Cache Size",
		},
		connect.ConfigKey{
			Name: "schema.content", Type: connect.ConfigString, Importance: connect.High,
			// The missing space is Connect's.
			Documentation: "When set, this is used as the schema for all messages, and the schemas within each of the message will be ignored." +
				"Otherwise, the schema will be included in the content of each message. " +
				"This configuration applies only 'schemas.enable' is true, and it exclusively affects the sink connector.",
			Group: "Schemas", Order: 2, Width: connect.WidthMedium, DisplayName: "Schema Content",
		},
		connect.ConfigKey{
			Name: "decimal.format", Type: connect.ConfigString, Default: "BASE64", Importance: connect.Low,
			Validator: connect.CaseInsensitiveValidString("BASE64", "NUMERIC"),
			Documentation: "Controls which format this converter will serialize decimals in. This value is case insensitive and can " +
				"be either 'BASE64' (default) or 'NUMERIC'",
			Group: "Serialization", Order: 0, Width: connect.WidthMedium, DisplayName: "Decimal Format",
		},
		connect.ConfigKey{
			Name: "replace.null.with.default", Type: connect.ConfigBoolean, Default: true, Importance: connect.Low,
			Documentation: "Whether to replace fields that have a default value and that are null to the default value. " +
				"When set to true, the default value is used, otherwise null is used.",
			Group: "Serialization", Order: 1, Width: connect.WidthMedium, DisplayName: "Replace null with default",
		},
	)
}

// configure returns the converter that a configuration asks for.
func configure(def *connect.ConfigDef, cfg connect.Config) (*Converter, error) {
	parsed, err := def.Parse(cfg)
	if err != nil {
		return nil, err
	}
	opts := Options{
		NoSchemas:      !parsed.Bool("schemas.enable"),
		DecimalNumbers: strings.EqualFold(parsed.String("decimal.format"), "NUMERIC"),
		KeepNull:       !parsed.Bool("replace.null.with.default"),
		CacheSize:      parsed.Int("schemas.cache.size"),
	}
	if opts.CacheSize == 0 {
		opts.CacheSize = -1
	}
	if parsed.Has("schema.content") {
		content := parsed.String("schema.content")
		if strings.TrimFunc(content, unicode.IsSpace) != "" {
			n, err := parse([]byte(content))
			if err != nil {
				return nil, &connect.DataError{Message: "Failed to parse schema in converter config due to serialization error: ", Err: err}
			}
			if opts.Schema, err = New(opts).schemaOf(&n); err != nil {
				return nil, err
			}
		}
	}
	return New(opts), nil
}
