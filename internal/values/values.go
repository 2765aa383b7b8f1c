// Package values is org.apache.kafka.connect.data.Values of Kafka Connect 4.3.0: the text of values, what texts stand
// for, and conversions between the types of the data model. Header values travel as such texts, see
// [SimpleHeaderConverter].
//
// Texts of dates carry a Z but are in the time zone of the process in Kafka Connect. A [Codec] has a zone of its own;
// the functions of this package use UTC.
package values

import (
	"time"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// Codec reads and prints values in a time zone. It is immutable and safe for concurrent use.
type Codec struct {
	date, time, timestamp *javatext.DateFormat
	javaDate              *javatext.DateFormat // Date.toString, for messages; nil for UTC
}

// New returns a Codec for dates in the given zone.
func New(loc *time.Location) *Codec {
	compile := func(pattern string) *javatext.DateFormat {
		f, err := javatext.CompileDate(pattern)
		if err != nil {
			panic(err) // the patterns are constants
		}
		return f.In(loc)
	}
	c := &Codec{
		date:      compile("yyyy-MM-dd"),
		time:      compile("HH:mm:ss.SSS'Z'"),
		timestamp: compile("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"),
	}
	if loc != time.UTC {
		c.javaDate = compile("EEE MMM dd HH:mm:ss zzz yyyy")
	}
	return c
}

var utc = New(time.UTC)

// Parse is [Codec.Parse] in UTC.
func Parse(text string) (connect.SchemaAndValue, error) { return utc.Parse(text) }

// Append is [Codec.Append] in UTC.
func Append(dst []byte, v any) ([]byte, error) { return utc.Append(dst, v) }

// ConvertToString is [Codec.ConvertToString] in UTC.
func ConvertToString(v any) (text string, null bool, err error) { return utc.ConvertToString(v) }
