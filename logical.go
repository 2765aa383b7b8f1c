package connect

import (
	"math/big"
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
)

// Decimal is the value of the logical type Decimal: Unscaled / 10^Scale. The zero Decimal is 0.
type Decimal struct {
	Unscaled *big.Int // must not be modified; nil is 0
	Scale    int32
}

// Equal reports whether both have the same digits and the same scale: 1.0 does not equal 1.00.
func (d Decimal) Equal(o Decimal) bool {
	return d.Scale == o.Scale && d.unscaled().Cmp(o.unscaled()) == 0
}

func (d Decimal) unscaled() *big.Int {
	if d.Unscaled == nil {
		return new(big.Int)
	}
	return d.Unscaled
}

var _ time.Time // the value of Date, Time and Timestamp
