package values

import (
	"context"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// SimpleHeaderConverter describes org.apache.kafka.connect.storage.SimpleHeaderConverter, the default header
// converter: header values travel as the texts of this package.
func SimpleHeaderConverter() connect.HeaderConverterPlugin {
	return connect.HeaderConverterPlugin{
		PluginInfo: connect.PluginInfo{Class: "org.apache.kafka.connect.storage.SimpleHeaderConverter", Version: "4.3.0"},
		New:        func(connect.Config) (connect.HeaderConverter, error) { return utc.HeaderConverter(), nil },
	}
}

// HeaderConverter returns a [connect.HeaderConverter] that sends and reads values as texts. It is safe for concurrent
// use.
func (c *Codec) HeaderConverter() connect.HeaderConverter { return headerConverter{c} }

type headerConverter struct{ codec *Codec }

// FromConnectHeader implements [connect.HeaderConverter].
func (h headerConverter) FromConnectHeader(_ context.Context, _, _ string, _ *connect.Schema, v any) ([]byte, error) {
	v = plain(v)
	if v == nil {
		return nil, nil
	}
	if s, ok := v.(string); ok {
		return []byte(s), nil
	}
	return h.codec.Append(make([]byte, 0, 32), v)
}

// ToConnectHeader implements [connect.HeaderConverter]. A text that can't be read at all gives its bytes.
func (h headerConverter) ToConnectHeader(_ context.Context, _, _ string, b []byte) (connect.SchemaAndValue, error) {
	if b == nil {
		return connect.SchemaAndValue{}, nil
	}
	sv, err := h.codec.Parse(javatext.DecodeUTF8(b))
	if err != nil {
		return connect.SchemaAndValue{Schema: connect.BytesSchema, Value: append([]byte{}, b...)}, nil
	}
	return sv, nil
}
