package smt

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

const timestampConversion = "converting timestamp formats"

// timestampConverter changes how a field of the key or value, or the whole, represents a point in time.
type timestampConverter struct {
	made
	part   part
	field  string // "" is the whole
	key    any    // the field
	target timestampType
	format *javatext.DateFormat // nil if none is configured
	unit   timeUnit
	nulls  nulls
	plans  plans[timestampPlan]
	text   []byte // scratch
}

// timestampType is a representation of time.
type timestampType int8

const (
	unknownTime timestampType = iota
	stringTime
	unixTime
	dateTime
	timeTime
	timestampTime
)

var timestampTypes = []string{"", "string", "unix", "Date", "Time", "Timestamp"}

func parseTimestampType(name string) timestampType {
	for t, n := range timestampTypes {
		if n == name {
			return timestampType(t)
		}
	}
	return unknownTime
}

// schema returns the schema of the representation.
func (t timestampType) schema(optional bool) *connect.Schema {
	pair := [...][2]*connect.Schema{
		stringTime:    {connect.StringSchema, connect.OptionalStringSchema},
		unixTime:      {connect.Int64Schema, connect.OptionalInt64Schema},
		dateTime:      {connect.DateSchema, optionalDate},
		timeTime:      {connect.TimeSchema, optionalTime},
		timestampTime: {connect.TimestampSchema, optionalTimestamp},
	}[t]
	if optional {
		return pair[1]
	}
	return pair[0]
}

var (
	optionalDate = connect.NewSchema(connect.TypeInt32).Name(connect.DateName).Version(1).Optional().MustBuild()
	optionalTime = connect.NewSchema(connect.TypeInt32).Name(connect.TimeName).Version(1).Optional().MustBuild()
)

// timestampTypeOf returns the representation that values of the schema are in.
func timestampTypeOf(s *connect.Schema) (timestampType, error) {
	switch s.Name() {
	case connect.TimestampName:
		return timestampTime, nil
	case connect.DateName:
		return dateTime, nil
	case connect.TimeName:
		return timeTime, nil
	}
	switch s.Type() {
	case connect.TypeString:
		return stringTime, nil
	case connect.TypeInt64:
		return unixTime, nil
	}
	return unknownTime, fmt.Errorf("Schema %v does not correspond to a known timestamp type format", s)
}

// timeUnit is a unit of the key unix.precision.
type timeUnit struct {
	perMilli int64 // how many make a millisecond; or
	millis   int64 // how many milliseconds it has
}

func parseTimeUnit(name string) timeUnit {
	switch name {
	case "seconds":
		return timeUnit{millis: 1000}
	case "microseconds":
		return timeUnit{perMilli: 1000}
	case "nanoseconds":
		return timeUnit{perMilli: 1_000_000}
	}
	return timeUnit{millis: 1}
}

// toMillis returns n units in milliseconds, which are cut towards zero, or at the limits of an int64.
func (u timeUnit) toMillis(n int64) int64 {
	if u.perMilli > 0 {
		return n / u.perMilli
	}
	return multiply(n, u.millis)
}

func (u timeUnit) ofMillis(ms int64) int64 {
	if u.perMilli > 0 {
		return multiply(ms, u.perMilli)
	}
	return ms / u.millis
}

func multiply(n, by int64) int64 {
	switch {
	case n > math.MaxInt64/by:
		return math.MaxInt64
	case n < math.MinInt64/by:
		return math.MinInt64
	}
	return n * by
}

type timestampPlan struct {
	out   *connect.Schema
	field int // -1 if there is none
	from  timestampType
	// input fails for every struct: the field is of no known representation.
	input error
	err   error
}

func (t *timestampConverter) compile(s *connect.Schema) (p timestampPlan) {
	p.field = -1
	if p.err = requireFields(s); p.err != nil {
		return p
	}
	b := copyStruct(s)
	for _, f := range s.Fields() {
		if f.Name != t.field {
			b.Field(f.Name, f.Schema)
			continue
		}
		b.Field(f.Name, t.target.schema(f.Schema.Optional()))
		p.field = f.Index
		p.from, p.input = timestampTypeOf(f.Schema)
	}
	if s.Optional() {
		b.Optional()
	}
	if p.out, p.err = b.Build(); p.err != nil {
		return p
	}
	if def, ok := s.Default().(*connect.Struct); ok {
		out, err := t.convertStruct(def, p)
		if err != nil {
			p.err = err
			return p
		}
		p.out, p.err = b.Default(out).Build()
	}
	return p
}

func (t *timestampConverter) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if schema == nil {
		out, err := t.applySchemaless(value)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, nil, out), nil
	}
	if t.field == "" {
		from, err := timestampTypeOf(schema)
		if err != nil {
			return nil, err
		}
		out, err := t.convert(value, from)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, t.target.schema(schema.Optional()), out), nil
	}
	var st *connect.Struct
	if !isNil(value) {
		var err error
		if st, err = requireStruct(value, timestampConversion); err != nil {
			return nil, err
		}
	}
	p := t.plans.of(schema)
	if p.err != nil {
		return nil, p.err
	}
	if st == nil {
		return t.part.set(r, p.out, nil), nil
	}
	s, err := t.nulls.aligned(st, schema)
	if err != nil {
		return nil, err
	}
	out, err := t.convertStruct(s, p)
	if err != nil {
		return nil, err
	}
	return t.part.set(r, p.out, out), nil
}

func (t *timestampConverter) convertStruct(s *connect.Struct, p timestampPlan) (*connect.Struct, error) {
	if t.mine(t.part, s) && p.input == nil {
		values := s.Values()
		v, err := t.convert(t.nulls.at(s, p.field), p.from)
		if err != nil {
			return nil, err
		}
		for i := range values {
			if i == p.field {
				continue
			}
			if values[i] == nil {
				if values[i] = t.nulls.at(s, i); values[i] == nil {
					if err := checkNull(p.out, i); err != nil {
						return nil, err
					}
				}
			}
		}
		if v == nil {
			if err := checkNull(p.out, p.field); err != nil {
				return nil, err
			}
		}
		values[p.field] = v
		become(s, p.out, values)
		return s, nil
	}
	out, values := connect.StructFor(p.out)
	for i := range values {
		v := t.nulls.at(s, i)
		if i == p.field {
			if p.input != nil {
				return nil, p.input
			}
			var err error
			if v, err = t.convert(v, p.from); err != nil {
				return nil, err
			}
		}
		if v == nil {
			if err := checkNull(p.out, i); err != nil {
				return nil, err
			}
		}
		values[i] = v
	}
	t.add(t.part, out)
	return out, nil
}

func (t *timestampConverter) applySchemaless(value any) (any, error) {
	if isNil(value) || t.field == "" {
		return t.convert(value, unknownTime)
	}
	m, err := requireMap(value, timestampConversion)
	if err != nil {
		return nil, err
	}
	v, _ := m.Get(t.key)
	if v, err = t.convert(v, unknownTime); err != nil {
		return nil, err
	}
	out := copyMap(m, 1)
	out.Set(t.key, v)
	return out, nil
}

// convert returns a value in the target's representation. Without a schema the value tells its own.
func (t *timestampConverter) convert(v any, from timestampType) (any, error) {
	if isNil(v) {
		return nil, nil
	}
	if from == unknownTime {
		switch v.(type) {
		case time.Time:
			from = timestampTime
		case int64:
			from = unixTime
		case string:
			from = stringTime
		default:
			return nil, connect.DataErrorf("TimestampConverter does not support class %s objects as timestamps", connect.JavaClass(v))
		}
	}
	at, err := t.read(v, from)
	if err != nil {
		return nil, err
	}
	const day = 24 * 60 * 60 * 1000
	switch t.target {
	case stringTime:
		t.text = t.format.AppendFormat(t.text[:0], at)
		return string(t.text), nil
	case unixTime:
		return t.unit.ofMillis(at.UnixMilli()), nil
	case dateTime:
		ms := at.UnixMilli()
		return sameOr(v, at, ms-(ms%day+day)%day), nil
	case timeTime:
		return sameOr(v, at, (at.UnixMilli()%day+day)%day), nil
	}
	return sameOr(v, at, at.UnixMilli()), nil
}

// sameOr returns the time ms: in the form that it had already, if it did not change.
func sameOr(v any, at time.Time, ms int64) any {
	if _, ok := v.(time.Time); ok && at.UnixMilli() == ms {
		return v
	}
	return time.UnixMilli(ms).UTC()
}

func (t *timestampConverter) read(v any, from timestampType) (time.Time, error) {
	switch from {
	case stringTime:
		text, ok := v.(string)
		if !ok {
			return time.Time{}, connect.DataErrorf("Expected string timestamp to be a String, but found class %s", connect.JavaClass(v))
		}
		if t.format == nil {
			return time.Time{}, connect.DataErrorf("Could not parse timestamp: value (%s) needs a pattern, but format is not configured", text)
		}
		at, _, ok := t.format.Parse(text)
		if !ok {
			return time.Time{}, connect.DataErrorf("Could not parse timestamp: value (%s) does not match pattern (%s)", text, t.format)
		}
		return at, nil
	case unixTime:
		n, ok := v.(int64)
		if !ok {
			return time.Time{}, connect.DataErrorf("Expected Unix timestamp to be a Long, but found class %s", connect.JavaClass(v))
		}
		return time.UnixMilli(t.unit.toMillis(n)).UTC(), nil
	}
	at, ok := v.(time.Time)
	if !ok {
		return time.Time{}, connect.DataErrorf("Expected %s to be a java.util.Date, but found class %s", timestampTypes[from], connect.JavaClass(v))
	}
	return at, nil
}

// prepare checks what the definition can't.
func (t *timestampConverter) prepare(pattern string) (*timestampConverter, error) {
	if strings.TrimSpace(pattern) == "" {
		if t.target == stringTime {
			return nil, connect.ConfigErrorf("format", "TimestampConverter requires format option to be specified when using string timestamps")
		}
	} else {
		var err error
		if t.format, err = javatext.CompileDate(pattern); err != nil {
			return nil, &connect.ConfigError{Key: "format", Err: err, Message: fmt.Sprintf("Invalid value java.lang.IllegalArgumentException: %v "+
				"for configuration TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: %s", err, pattern)}
		}
	}
	t.plans.compile = t.compile
	return t, nil
}

func timestampConverterKind() kind {
	return kind{
		name: "TimestampConverter", parts: bothParts,
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "field", Type: connect.ConfigString, Default: "", Importance: connect.High,
				Documentation: "The field containing the timestamp, or empty if the entire value is a timestamp",
			},
			connect.ConfigKey{
				Name: "target.type", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
				Validator:     connect.ValidString(timestampTypes[1:]...),
				Documentation: "The desired timestamp representation: string, unix, Date, Time, or Timestamp",
			},
			connect.ConfigKey{
				Name: "format", Type: connect.ConfigString, Default: "", Importance: connect.Medium,
				Documentation: "A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used " +
					"to parse the input if the input is a string.",
			},
			connect.ConfigKey{
				Name: "unix.precision", Type: connect.ConfigString, Default: "milliseconds", Importance: connect.Low,
				Validator: connect.ValidString("nanoseconds", "microseconds", "milliseconds", "seconds"),
				Documentation: "The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to " +
					"generate the output when type=unix or used to parse the input if the input is a Long.Note: This SMT will cause " +
					"precision loss during conversions from, and to, values with sub-millisecond components.",
			},
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			t := &timestampConverter{
				part: p, field: c.String("field"), key: c.String("field"), target: parseTimestampType(c.String("target.type")),
				unit: parseTimeUnit(c.String("unix.precision")), nulls: nullsOf(c),
			}
			return t.prepare(c.String("format"))
		},
	}
}
