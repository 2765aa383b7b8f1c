package connect

import (
	"strconv"
	"time"
)

// The names that make a schema a logical type.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"

	// DecimalScale is the parameter of a Decimal schema that says how many digits stand after the point.
	DecimalScale = "scale"
)

// The schemas of the logical types, all of version 1. See [DecimalSchema] for decimals.
var (
	DateSchema      = NewSchema(TypeInt32).Name(DateName).Version(1).MustBuild()
	TimeSchema      = NewSchema(TypeInt32).Name(TimeName).Version(1).MustBuild()
	TimestampSchema = NewSchema(TypeInt64).Name(TimestampName).Version(1).MustBuild()

	OptionalDateSchema      = NewSchema(TypeInt32).Name(DateName).Version(1).Optional().MustBuild()
	OptionalTimeSchema      = NewSchema(TypeInt32).Name(TimeName).Version(1).Optional().MustBuild()
	OptionalTimestampSchema = NewSchema(TypeInt64).Name(TimestampName).Version(1).Optional().MustBuild()
)

const millisPerDay = 24 * 60 * 60 * 1000

// NewDecimalSchema returns a builder of the schema of decimals with that many digits after the point.
func NewDecimalSchema(scale int32) *SchemaBuilder {
	return NewSchema(TypeBytes).Name(DecimalName).Version(1).Parameter(DecimalScale, strconv.Itoa(int(scale)))
}

// DecimalSchema returns the schema of decimals with that many digits after the point. Call it once and keep the result.
func DecimalSchema(scale int32) *Schema { return NewDecimalSchema(scale).MustBuild() }

// Scale returns the number of digits after the point that a Decimal schema asks for. A schema without it is a
// *[DataError].
func (s *Schema) Scale() (int32, error) {
	text, ok := s.Parameter(DecimalScale)
	if !ok {
		return 0, DataErrorf("Invalid Decimal schema: scale parameter not found.")
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, &DataError{Message: "Invalid scale parameter found in Decimal schema: ", Err: err}
	}
	return int32(n), nil
}

// FromDecimal returns the bytes that stand for a decimal where there are no logical types. It fails with a
// *[DataError] if the schema asks for another scale.
func FromDecimal(s *Schema, d Decimal) ([]byte, error) {
	scale, err := s.Scale()
	if err != nil {
		return nil, err
	}
	if d.Scale != scale {
		return nil, DataErrorf("Decimal value has mismatching scale for given Decimal schema. Schema has scale %d, value has scale %d.", scale, d.Scale)
	}
	return d.Bytes(), nil
}

// ToDecimal undoes [FromDecimal].
func ToDecimal(s *Schema, b []byte) (Decimal, error) {
	scale, err := s.Scale()
	if err != nil {
		return Decimal{}, err
	}
	return DecimalOfBytes(b, scale)
}

// FromDate returns the days since 1970-01-01 of a value of the logical type Date, which must be midnight in UTC.
func FromDate(s *Schema, t time.Time) (int32, error) {
	if err := s.is(logicalDate, "Date"); err != nil {
		return 0, err
	}
	ms := t.UnixMilli()
	if ms%millisPerDay != 0 {
		return 0, DataErrorf("Kafka Connect Date type should not have any time fields set to non-zero values.")
	}
	return int32(ms / millisPerDay), nil
}

// ToDate undoes [FromDate].
func ToDate(s *Schema, days int32) (time.Time, error) {
	if err := s.is(logicalDate, "Date"); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(int64(days) * millisPerDay).UTC(), nil
}

// FromTime returns the milliseconds since midnight of a value of the logical type Time, which must be on 1970-01-01 in
// UTC.
func FromTime(s *Schema, t time.Time) (int32, error) {
	if err := s.is(logicalTime, "Time"); err != nil {
		return 0, err
	}
	ms := t.UnixMilli()
	if ms < 0 || ms > millisPerDay {
		return 0, DataErrorf("Kafka Connect Time type should not have any date fields set to non-zero values.")
	}
	return int32(ms), nil
}

// ToTime undoes [FromTime].
func ToTime(s *Schema, ms int32) (time.Time, error) {
	if err := s.is(logicalTime, "Date"); err != nil { // Connect says Date here too
		return time.Time{}, err
	}
	if ms < 0 || ms > millisPerDay {
		return time.Time{}, DataErrorf("Time values must use number of milliseconds greater than 0 and less than %d", millisPerDay)
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}

// FromTimestamp returns the milliseconds since 1970-01-01T00:00:00Z of a value of the logical type Timestamp.
func FromTimestamp(s *Schema, t time.Time) (int64, error) {
	if err := s.is(logicalTimestamp, "Timestamp"); err != nil {
		return 0, err
	}
	return t.UnixMilli(), nil
}

// ToTimestamp undoes [FromTimestamp].
func ToTimestamp(s *Schema, ms int64) (time.Time, error) {
	if err := s.is(logicalTimestamp, "Timestamp"); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), nil
}

func (s *Schema) is(t logicalType, name string) error {
	if s == nil || s.logical != t {
		return DataErrorf("Requested conversion of %s object but the schema does not match.", name)
	}
	return nil
}
