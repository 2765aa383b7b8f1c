package connect

import "context"

// ConverterType is the configuration key of a converter that says what it converts: key, value or header. The runtime
// sets it.
const ConverterType = "converter.type"

// BuiltinVersion is the version of Kafka Connect that the plugins of this package stand in for.
const BuiltinVersion = "4.3.0"

var converterConfig = MustConfigDef(converterTypeKey())

func converterTypeKey() ConfigKey {
	return ConfigKey{
		Name:          ConverterType,
		Type:          ConfigString,
		Default:       Required,
		Validator:     ValidString("key", "value", "header"),
		Importance:    Low,
		Documentation: "How this converter will be used.",
	}
}

// converter is what the converters of this package are.
type converter interface {
	Converter
	AppendConverter
	HeaderConverter
}

// BuiltinConverters returns the descriptors of the converters of this package, for keys and values and for headers,
// under the names of the Java classes that they stand in for.
func BuiltinConverters() []Plugin {
	var list []Plugin
	add := func(class string, def *ConfigDef, create func(cfg Config) (converter, error)) {
		info := PluginInfo{Class: class, Version: BuiltinVersion, Config: def}
		list = append(list,
			ConverterPlugin{info, func(cfg Config, role Role) (Converter, error) { return create(withRole(cfg, role)) }},
			HeaderConverterPlugin{info, func(cfg Config) (HeaderConverter, error) { return create(cfg) }})
	}
	// plain is for converters whose only key is their type.
	plain := func(c converter) func(Config) (converter, error) {
		return func(cfg Config) (converter, error) {
			if _, err := converterConfig.Parse(cfg); err != nil {
				return nil, err
			}
			return c, nil
		}
	}
	add("org.apache.kafka.connect.storage.StringConverter", stringConverterConfig,
		func(cfg Config) (converter, error) { return newStringConverter(cfg) })
	add("org.apache.kafka.connect.converters.ByteArrayConverter", converterConfig,
		func(Config) (converter, error) { return ByteArrayConverter{}, nil }) // Java's checks nothing
	add("org.apache.kafka.connect.converters.BooleanConverter", converterConfig, plain(BooleanConverter{}))
	add("org.apache.kafka.connect.converters.ShortConverter", converterConfig, plain(ShortConverter{}))
	add("org.apache.kafka.connect.converters.IntegerConverter", converterConfig, plain(IntegerConverter{}))
	add("org.apache.kafka.connect.converters.LongConverter", converterConfig, plain(LongConverter{}))
	add("org.apache.kafka.connect.converters.FloatConverter", converterConfig, plain(FloatConverter{}))
	add("org.apache.kafka.connect.converters.DoubleConverter", converterConfig, plain(DoubleConverter{}))
	return list
}

// withRole returns the configuration with the role as its converter.type.
func withRole(cfg Config, role Role) Config {
	with := Config{}
	for k, v := range cfg {
		with[k] = v
	}
	with[ConverterType] = role.String()
	return with
}

// ByteArrayConverter passes bytes through. Values are []byte or nil, schemas of type BYTES or nil. The zero value is
// ready for use, and safe for concurrent use.
type ByteArrayConverter struct{}

func (ByteArrayConverter) bytes(s *Schema, v any) ([]byte, error) {
	if s != nil && s.typ != TypeBytes {
		return nil, DataErrorf("Invalid schema type for ByteArrayConverter: %v", s.typ)
	}
	if v == nil {
		return nil, nil
	}
	b, ok := v.([]byte)
	if !ok {
		return nil, DataErrorf("ByteArrayConverter is not compatible with objects of type class %s", JavaClass(v))
	}
	return b, nil
}

// FromConnect returns the value itself.
func (c ByteArrayConverter) FromConnect(_ context.Context, _ string, _ *RawHeaders, s *Schema, v any) ([]byte, error) {
	return c.bytes(s, v)
}

// AppendFromConnect appends the value.
func (c ByteArrayConverter) AppendFromConnect(_ context.Context, dst []byte, _ string, _ *RawHeaders, s *Schema, v any) ([]byte, bool, error) {
	b, err := c.bytes(s, v)
	return append(dst, b...), b == nil, err
}

// ToConnect returns a copy of the bytes.
func (ByteArrayConverter) ToConnect(_ context.Context, _ string, _ RawHeaders, b []byte) (SchemaAndValue, error) {
	if b == nil {
		return SchemaAndValue{Schema: OptionalBytesSchema}, nil
	}
	return SchemaAndValue{OptionalBytesSchema, append([]byte{}, b...)}, nil
}

// FromConnectHeader is FromConnect for a header.
func (c ByteArrayConverter) FromConnectHeader(_ context.Context, _, _ string, s *Schema, v any) ([]byte, error) {
	return c.bytes(s, v)
}

// ToConnectHeader is ToConnect for a header.
func (c ByteArrayConverter) ToConnectHeader(ctx context.Context, topic, _ string, b []byte) (SchemaAndValue, error) {
	return c.ToConnect(ctx, topic, nil, b)
}
