package conformance_test

import (
	"context"

	"github.com/gokconnect/connect"
)

type allow func(string) bool

func (a allow) Validate(_ context.Context, r connect.OverrideRequest) ([]connect.ConfigValue, error) {
	return nil, nil
}

func tmpJSON() []connect.Plugin {
	s := func(n string, t connect.ConfigType, d any, g string, o int, v connect.ConfigValidator) connect.ConfigKey {
		return connect.ConfigKey{Name: n, Type: t, Default: d, Group: g, Order: o, Validator: v, Width: connect.WidthMedium}
	}
	def := connect.MustConfigDef(
		connect.ConfigKey{Name: "converter.type", Type: connect.ConfigString, Default: connect.Required, Validator: connect.ValidString("key", "value", "header")},
		s("schemas.enable", connect.ConfigBoolean, true, "Schemas", 0, nil),
		s("schemas.cache.size", connect.ConfigInt, 1000, "Schemas", 1, nil),
		s("schema.content", connect.ConfigString, nil, "Schemas", 2, nil),
		s("decimal.format", connect.ConfigString, "BASE64", "Serialization", 0, connect.CaseInsensitiveValidString("BASE64", "NUMERIC")),
		s("replace.null.with.default", connect.ConfigBoolean, true, "Serialization", 1, nil))
	info := connect.PluginInfo{Class: "org.apache.kafka.connect.json.JsonConverter", Version: "4.3.0", Config: def}
	sh := connect.PluginInfo{Class: "org.apache.kafka.connect.storage.SimpleHeaderConverter", Version: "4.3.0", Config: connect.MustConfigDef()}
	return []connect.Plugin{connect.ConverterPlugin{info, func(connect.Config, connect.Role) (connect.Converter, error) { return nil, nil }},
		connect.HeaderConverterPlugin{info, func(connect.Config) (connect.HeaderConverter, error) { return nil, nil }},
		connect.HeaderConverterPlugin{sh, func(connect.Config) (connect.HeaderConverter, error) { return nil, nil }}}
}
