package smt

import (
	"context"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// timestampRouter makes the topic of the old topic and the record's timestamp.
type timestampRouter struct {
	topicFormat string
	format      *javatext.DateFormat
	formatErr   error // shows with the first record, as in Java

	text               []byte // scratch
	topic, date, route string // of the last record
}

func (t *timestampRouter) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	if r.Timestamp.IsZero() {
		return nil, connect.DataErrorf("Timestamp missing on record: %s", recordText(r))
	}
	if t.formatErr != nil {
		return nil, t.formatErr
	}
	t.text = t.format.AppendFormat(t.text[:0], r.Timestamp)
	if string(t.text) != t.date || r.Topic != t.topic || t.route == "" {
		// The topic goes first, so a placeholder in its name is replaced too.
		route := strings.ReplaceAll(t.topicFormat, "${topic}", r.Topic)
		t.topic, t.date = r.Topic, string(t.text)
		t.route = strings.ReplaceAll(route, "${timestamp}", t.date)
	}
	r.Topic = t.route
	return r, nil
}

func timestampRouterKind() kind {
	return kind{
		name: "TimestampRouter",
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "topic.format", Type: connect.ConfigString, Default: "${topic}-${timestamp}", Importance: connect.High,
				Documentation: "Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as placeholders for the " +
					"topic and timestamp, respectively.",
			},
			connect.ConfigKey{
				Name: "timestamp.format", Type: connect.ConfigString, Default: "yyyyMMdd", Importance: connect.High,
				Documentation: "Format string for the timestamp that is compatible with <code>java.text.SimpleDateFormat</code>.",
			},
		),
		make: func(_ part, c *connect.ParsedConfig) (connect.Transformation, error) {
			t := &timestampRouter{topicFormat: c.String("topic.format")}
			t.format, t.formatErr = javatext.CompileDate(c.String("timestamp.format"))
			return t, nil
		},
	}
}
