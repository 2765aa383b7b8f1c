package rest

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

// member and members are an object to be written, in its order.
type member struct {
	key   string
	value any
}

type ordered []member

// appendJSON writes a value as Java's Jackson does: compact, members in their order, no more escapes than needed.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case *string:
		if v == nil {
			return append(b, "null"...)
		}
		return appendString(b, *v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case json.RawMessage:
		if v == nil {
			return append(b, "null"...)
		}
		return append(b, v...)
	case ordered:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.key), ':')
			b = appendJSON(b, m.value)
		}
		return append(b, '}')
	case Config:
		return appendConfig(b, v)
	case connect.TaskID:
		return appendJSON(b, ordered{{"connector", v.Connector}, {"task", v.Task}})
	case *ConnectorInfo:
		return appendJSON(b, ordered{{"name", v.Name}, {"config", v.Config}, {"tasks", list(v.Tasks)}, {"type", v.Type}})
	case TaskInfo:
		return appendJSON(b, ordered{{"id", v.ID}, {"config", v.Config}})
	case *Status:
		return appendJSON(b, ordered{{"name", v.Name}, {"connector", instance(nil, v.Connector)}, {"tasks", list(v.Tasks)}, {"type", v.Type}})
	case TaskStatus:
		return appendJSON(b, instance(ordered{{"id", v.ID}}, v.Instance))
	case PartitionOffset:
		return appendJSON(b, ordered{{"partition", v.Partition}, {"offset", v.Offset}})
	case Plugin:
		return appendJSON(b, ordered{{"class", v.Class}, {"type", v.Type}, {"version", v.Version}})
	case Logger:
		var modified any
		if v.LastModified != 0 {
			modified = v.LastModified
		}
		return appendJSON(b, ordered{{"level", v.Level}, {"last_modified", modified}})
	case *connconfig.Result:
		return appendJSON(b, ordered{{"name", v.Name}, {"error_count", v.ErrorCount}, {"groups", list(v.Groups)}, {"configs", list(v.Configs)}})
	case connconfig.Config:
		return appendJSON(b, ordered{{"definition", v.Definition}, {"value", v.Value}})
	case *connconfig.Definition:
		if v == nil {
			return append(b, "null"...)
		}
		return appendJSON(b, ordered{{"name", v.Name}, {"type", v.Type}, {"required", v.Required}, {"default_value", v.Default},
			{"importance", v.Importance}, {"documentation", v.Documentation}, {"group", v.Group}, {"order_in_group", v.Order},
			{"width", v.Width}, {"display_name", v.DisplayName}, {"dependents", list(v.Dependents)}})
	case *connconfig.Value:
		if v == nil {
			return append(b, "null"...)
		}
		return appendJSON(b, ordered{{"name", v.Name}, {"value", v.Value}, {"recommended_values", list(v.Recommended)}, {"errors", list(v.Errors)}, {"visible", v.Visible}})
	case array:
		b = append(b, '[')
		for i := range v.n {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, v.at(i))
		}
		return append(b, ']')
	}
	panic("rest: no JSON form")
}

func appendConfig(b []byte, c Config) []byte {
	if c == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for i, e := range c {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, e.Key), ':')
		if e.Value == nil {
			b = append(b, "null"...)
		} else {
			b = appendString(b, *e.Value)
		}
	}
	return append(b, '}')
}

// array is a list to be written.
type array struct {
	n  int
	at func(int) any
}

func list[E any](s []E) array { return array{len(s), func(i int) any { return s[i] }} }

func instance(o ordered, i Instance) ordered {
	var version any
	if i.Version != "" {
		version = i.Version
	}
	o = append(o, member{"state", i.State}, member{"worker_id", i.WorkerID}, member{"version", version})
	if i.Trace != "" {
		o = append(o, member{"trace", i.Trace})
	}
	return o
}

func appendString(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	unit := func(b []byte, u rune) []byte {
		return append(b, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= 0x10000:
			hi, lo := utf16.EncodeRune(r)
			b = unit(unit(b, hi), lo)
		case r >= 0x20:
			b = utf8.AppendRune(b, r)
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\f':
			b = append(b, '\\', 'f')
		default:
			b = unit(b, r)
		}
	}
	return append(b, '"')
}
