package connect

import "context"

const converterEncoding = "converter.encoding"

var stringConverterConfig = MustConfigDef(
	converterTypeKey(),
	ConfigKey{
		Name:          converterEncoding,
		Type:          ConfigString,
		Default:       "UTF-8",
		Importance:    High,
		Documentation: "The name of the Java character set to use for encoding strings as byte arrays.",
		Width:         WidthMedium,
		DisplayName:   "Encoding",
	},
)

// StringConverter turns any value into its text (see [FormatValue]), and bytes into a string. The zero value works in
// UTF-8. It is safe for concurrent use.
type StringConverter struct {
	charset charset // nil is UTF-8
}

// NewStringConverter returns a converter of a configuration: converter.encoding is the name of its character set,
// UTF-8 by default. It fails with a *[ConfigError] if there is no such set.
func NewStringConverter(cfg Config, role Role) (StringConverter, error) {
	return newStringConverter(withRole(cfg, role))
}

func newStringConverter(cfg Config) (StringConverter, error) {
	parsed, err := stringConverterConfig.Parse(cfg)
	if err != nil {
		return StringConverter{}, err
	}
	name := parsed.String(converterEncoding)
	switch set := findCharset(name).(type) {
	case nil:
		return StringConverter{}, ConfigErrorf(converterEncoding, "Unsupported encoding %s", name)
	case charsetUTF8:
		return StringConverter{}, nil
	default:
		return StringConverter{set}, nil
	}
}

// FromConnect returns the text of the value.
func (c StringConverter) FromConnect(ctx context.Context, topic string, _ *RawHeaders, s *Schema, v any) ([]byte, error) {
	b, null, err := c.AppendFromConnect(ctx, []byte{}, topic, nil, s, v)
	if null || err != nil {
		return nil, err
	}
	return b, nil
}

// AppendFromConnect appends the text of the value.
func (c StringConverter) AppendFromConnect(_ context.Context, dst []byte, _ string, _ *RawHeaders, _ *Schema, v any) ([]byte, bool, error) {
	switch {
	case isNil(v):
		return dst, true, nil
	case c.charset == nil:
		return AppendValue(dst, v), false, nil
	}
	return c.charset.append(dst, FormatValue(v)), false, nil
}

// ToConnect returns the bytes as a string, with U+FFFD in place of what is malformed.
func (c StringConverter) ToConnect(_ context.Context, _ string, _ RawHeaders, b []byte) (SchemaAndValue, error) {
	switch {
	case b == nil:
		return SchemaAndValue{Schema: OptionalStringSchema}, nil
	case c.charset == nil:
		return SchemaAndValue{OptionalStringSchema, charsetUTF8{}.decode(b)}, nil
	}
	return SchemaAndValue{OptionalStringSchema, c.charset.decode(b)}, nil
}

// FromConnectHeader is FromConnect for a header.
func (c StringConverter) FromConnectHeader(ctx context.Context, topic, _ string, s *Schema, v any) ([]byte, error) {
	return c.FromConnect(ctx, topic, nil, s, v)
}

// ToConnectHeader is ToConnect for a header.
func (c StringConverter) ToConnectHeader(ctx context.Context, topic, _ string, b []byte) (SchemaAndValue, error) {
	return c.ToConnect(ctx, topic, nil, b)
}
