// Package jsonconv is Kafka Connect's JsonConverter: values as JSON, each with its schema in an envelope
//
//	{"schema":{"type":"string","optional":false},"payload":"a"}
//
// or, with [Options].NoSchemas, the value alone. Bytes and errors are those of
// org.apache.kafka.connect.json.JsonConverter of Kafka 4.3.0. The text of a JSON syntax error is not, and strings with
// unpaired surrogates, which Go can't hold, get U+FFFD in their place.
package jsonconv

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/gokconnect/connect"
)

// Options say how a [Converter] works. The zero Options are Connect's defaults.
type Options struct {
	// NoSchemas leaves out the envelope and so the schema (schemas.enable=false). Values are then read as maps with
	// string keys, lists, strings, int64, float64 and booleans.
	NoSchemas bool
	// DecimalNumbers writes decimals as numbers, not as base64 of their bytes (decimal.format=NUMERIC). Both are read.
	DecimalNumbers bool
	// KeepNull leaves null where it is, though the schema has a default for it (replace.null.with.default=false).
	KeepNull bool
	// CacheSize is the number of schemas that are remembered in each direction: 0 is 1000, a negative number is none
	// but the last (schemas.cache.size).
	CacheSize int
	// Schema is the schema of everything that is read; there is no envelope then (schema.content, see [ParseSchema]).
	// It is of no use with NoSchemas, and does not change what is written.
	Schema *connect.Schema
}

// Converter converts keys, values and headers to JSON and back. It is safe for concurrent use. Values that it returns
// share memory: keeping a string of a record can keep all strings of a record of up to 8 KiB.
type Converter struct {
	opts     Options
	fixed    *plan // of Options.Schema
	decoders sync.Pool
	size     atomic.Int64 // how large the JSON of a value probably is

	lastRead  atomic.Pointer[readSchema]
	read      *cache[string, *readSchema]
	lastWrite atomic.Pointer[writeSchema]
	written   *cache[*connect.Schema, *writeSchema]
}

var (
	_ connect.Converter       = (*Converter)(nil)
	_ connect.AppendConverter = (*Converter)(nil)
	_ connect.HeaderConverter = (*Converter)(nil)
)

// readSchema is a schema as it stood in a message.
type readSchema struct {
	raw  string
	plan *plan
}

// writeSchema is a schema that was written.
type writeSchema struct {
	schema *connect.Schema
	prefix []byte // the envelope up to the payload
	plan   *plan
}

const (
	defaultCacheSize = 1000
	maxCacheCost     = 16 << 20 // bytes of schemas in one generation
	maxHint          = 64 << 10
)

// New returns a converter.
func New(opts Options) *Converter {
	size := opts.CacheSize
	if size == 0 {
		size = defaultCacheSize
	}
	c := &Converter{
		opts:    opts,
		fixed:   newPlan(opts.Schema, !opts.KeepNull),
		read:    newCache[string, *readSchema](size, maxCacheCost),
		written: newCache[*connect.Schema, *writeSchema](size, maxCacheCost),
	}
	c.decoders.New = func() any { return &decoder{seed: maphash.MakeSeed()} }
	return c
}

// ParseSchema returns the schema that JSON describes, as it stands in an envelope; nil for null. It fails with a
// *[connect.DataError].
func ParseSchema(b []byte) (*connect.Schema, error) {
	n, err := parse(b)
	if err != nil {
		return nil, unreadable(err)
	}
	return New(Options{}).schemaOf(&n)
}

// FromConnect returns the JSON of a value; null for null without a schema. The headers stay as they are.
func (c *Converter) FromConnect(ctx context.Context, topic string, headers *connect.RawHeaders, s *connect.Schema, v any) ([]byte, error) {
	if s == nil && v == nil {
		return nil, nil
	}
	hint := c.size.Load()
	b, _, err := c.AppendFromConnect(ctx, make([]byte, 0, hint), topic, headers, s, v)
	if err != nil {
		return nil, err
	}
	if n := int64(len(b)); n > hint || n < hint/2 {
		c.size.Store(min(n+n/16, maxHint))
	}
	return b, nil
}

// AppendFromConnect is FromConnect, appending to dst.
func (c *Converter) AppendFromConnect(_ context.Context, dst []byte, _ string, _ *connect.RawHeaders, s *connect.Schema, v any) (out []byte, null bool, err error) {
	if s == nil && v == nil {
		return dst, true, nil
	}
	e := encoder{numericDecimals: c.opts.DecimalNumbers}
	start := len(dst)
	var p *plan
	if s != nil {
		w, err := c.write(s)
		if err != nil {
			return dst, false, err
		}
		p = w.plan
		dst = append(dst, w.prefix...)
	} else if !c.opts.NoSchemas {
		dst = append(dst, `{"schema":null,"payload":`...)
	}
	if !c.opts.NoSchemas {
		e.depth = 1
	}
	dst, err = e.value(dst, p, v)
	if err != nil {
		return dst[:start], false, err
	}
	if !c.opts.NoSchemas {
		dst = append(dst, '}')
	}
	return dst, false, nil
}

// write returns what is known about a schema for writing.
func (c *Converter) write(s *connect.Schema) (*writeSchema, error) {
	w := c.lastWrite.Load()
	if w != nil && w.schema == s {
		return w, nil
	}
	w, ok := c.written.get(s)
	if !ok {
		w = &writeSchema{schema: s, plan: newPlan(s, !c.opts.KeepNull)}
		if !c.opts.NoSchemas {
			e := encoder{numericDecimals: c.opts.DecimalNumbers}
			var err error
			if w.prefix, err = e.appendSchema([]byte(`{"schema":`), w.plan, nil); err != nil {
				return nil, err
			}
			w.prefix = append(w.prefix, `,"payload":`...)
		}
		c.written.put(s, w, len(w.prefix))
	}
	c.lastWrite.Store(w)
	return w, nil
}

// FromConnectHeader is FromConnect for the value of a header.
func (c *Converter) FromConnectHeader(ctx context.Context, topic, _ string, s *connect.Schema, v any) ([]byte, error) {
	return c.FromConnect(ctx, topic, nil, s, v)
}

// ToConnectHeader is ToConnect for the value of a header.
func (c *Converter) ToConnectHeader(ctx context.Context, topic, _ string, b []byte) (connect.SchemaAndValue, error) {
	return c.ToConnect(ctx, topic, nil, b)
}

// ToConnect returns the value of JSON; null for null. Messages with the same schema, byte for byte, get the same
// *Schema. What follows the JSON value is ignored, as Connect does.
func (c *Converter) ToConnect(_ context.Context, _ string, _ connect.RawHeaders, b []byte) (connect.SchemaAndValue, error) {
	if b == nil {
		return connect.SchemaAndValue{}, nil
	}
	d := c.decoders.Get().(*decoder)
	d.reset(b)
	sv, ok := c.decode(d)
	d.release()
	c.decoders.Put(d)
	if ok {
		return sv, nil
	}
	return c.toConnect(b)
}

// MakesStructs reports whether each Struct that conv returns is new, so that it may be changed, unless it is its schema's default. It
// says so of the Converter alone, not of what embeds it.
func (c *Converter) MakesStructs(conv connect.Converter) bool { return conv == connect.Converter(c) }

// decode reads a document if nothing is unusual about it.
func (c *Converter) decode(d *decoder) (sv connect.SchemaAndValue, ok bool) {
	switch {
	case c.opts.NoSchemas:
		sv.Value, ok = d.document(nil)
		return sv, ok
	case c.fixed != nil:
		sv.Schema = c.fixed.schema
		sv.Value, ok = d.document(c.fixed)
		return sv, ok
	}
	if d.space() != '{' || !d.enter() {
		return sv, false
	}
	if d.space(); d.has(`"schema"`) {
		return c.schemaFirst(d)
	}
	if d.has(`"payload"`) {
		return c.payloadFirst(d)
	}
	return sv, false
}

// schemaFirst reads on after the name of an envelope's schema.
func (c *Converter) schemaFirst(d *decoder) (sv connect.SchemaAndValue, ok bool) {
	if !d.colon() {
		return sv, false
	}
	var p *plan
	if last := c.lastRead.Load(); last != nil && d.has(last.raw) {
		p = last.plan
	} else {
		from := d.pos
		if !d.skip() {
			return sv, false
		}
		if raw := d.b[from:d.pos]; string(raw) != "null" {
			known, ok := c.read.get(view(raw))
			if !ok {
				return sv, false
			}
			c.lastRead.Store(known)
			p = known.plan
		}
	}
	if d.space() != ',' {
		return sv, false
	}
	d.pos++
	if d.space(); !d.has(`"payload"`) || !d.colon() {
		return sv, false
	}
	if sv.Value, ok = d.value(p); !ok || d.space() != '}' {
		return sv, false
	}
	if p != nil {
		sv.Schema = p.schema
	}
	return sv, true
}

// payloadFirst reads on after the name of an envelope's payload. It supposes that the schema is the last one again.
func (c *Converter) payloadFirst(d *decoder) (sv connect.SchemaAndValue, ok bool) {
	last := c.lastRead.Load()
	if last == nil || !d.colon() {
		return sv, false
	}
	d.textTo = max(0, len(d.b)-len(last.raw)) // what follows is probably the schema
	if sv.Value, ok = d.value(last.plan); !ok || d.space() != ',' {
		return sv, false
	}
	d.pos++
	if d.space(); !d.has(`"schema"`) || !d.colon() || !d.has(last.raw) || d.space() != '}' {
		return sv, false
	}
	sv.Schema = last.plan.schema
	return sv, true
}

// colon skips a colon and the white space around it.
func (d *decoder) colon() bool {
	if d.space() != ':' {
		return false
	}
	d.pos++
	d.space()
	return true
}

// toConnect reads a document as Connect does: all of it first, and then what it means.
func (c *Converter) toConnect(b []byte) (sv connect.SchemaAndValue, err error) {
	n, err := parse(b)
	if err != nil {
		return sv, unreadable(err)
	}
	s, payload := c.opts.Schema, &n
	switch {
	case c.opts.NoSchemas:
		s = nil
	case s == nil:
		schema := n.get("schema")
		payload = n.get("payload")
		if len(n.items) != 2 || schema == nil || payload == nil {
			return sv, connect.DataErrorf("JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.")
		}
		if s, err = c.readSchema(schema); err != nil {
			return sv, err
		}
	}
	v, err := c.fromNode(s, payload)
	if err != nil {
		return sv, err
	}
	return connect.SchemaAndValue{Schema: s, Value: v}, nil
}

// readSchema returns the schema of an envelope, the same one for the same bytes.
func (c *Converter) readSchema(n *node) (*connect.Schema, error) {
	if n.kind != kindObject {
		return c.schemaOf(n)
	}
	known, ok := c.read.get(view(n.raw))
	if !ok {
		s, err := c.schemaOf(n)
		if err != nil {
			return nil, err
		}
		known = &readSchema{string(n.raw), newPlan(s, !c.opts.KeepNull)}
		c.read.put(known.raw, known, len(known.raw))
	}
	c.lastRead.Store(known)
	return known.plan.schema, nil
}

func unreadable(cause error) error {
	return &connect.DataError{Message: "Converting byte[] to Kafka Connect data failed due to serialization error: ", Err: cause}
}
