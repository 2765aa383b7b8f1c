package values

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javatext"
)

// The schemas of lists and maps whose parts have nothing in common.
var (
	untypedArray = connect.NewSchema(connect.TypeArray).MustBuild()
	untypedMap   = connect.NewSchema(connect.TypeMap).MustBuild()
)

// Why a text is not what it began as.
var (
	errUnparsed = errors.New("the text is not a list, map or other value")
	errDepth    = fmt.Errorf("the text nests deeper than %d levels", maxDepth)
)

// Parse returns what a text stands for: true, a number, a date, a list [1,"a"] or a map {"k":1}, with the narrowest
// schema that fits, or else the text itself. The text null gives the zero value. It fails with a *[connect.DataError] for
// a list or map that nests too deeply, and for nothing else.
func (c *Codec) Parse(text string) (connect.SchemaAndValue, error) {
	if plainText(text) {
		return connect.SchemaAndValue{Schema: connect.StringSchema, Value: text}, nil
	}
	p := parser{codec: c, tokens: tokens{text: text}}
	sv, _, err := p.parse(false, 0)
	if err != nil {
		return connect.SchemaAndValue{}, &connect.DataError{Message: "Failed to parse value", Err: err}
	}
	return sv, nil
}

// plainText reports whether the first character decides that the text stands for itself.
func plainText(text string) bool {
	if text == "" {
		return true
	}
	switch c := text[0]; c {
	case '[', '{', '+', '-':
		return false
	case 't':
		return !strings.HasPrefix(text, "true")
	case 'f':
		return !strings.HasPrefix(text, "false")
	case 'n':
		return !strings.HasPrefix(text, "null")
	default:
		return c > ' ' && c < 0x7F && !(c >= '0' && c <= '9')
	}
}

// parser is Values.ValueParser.
type parser struct {
	tokens
	codec *Codec
}

func stringValue(s string) connect.SchemaAndValue {
	return connect.SchemaAndValue{Schema: connect.StringSchema, Value: s}
}

// parse reads a value. null says that there is none, or that it is null: a result without even a schema.
func (p *parser) parse(embedded bool, depth int) (sv connect.SchemaAndValue, null bool, err error) {
	if depth > maxDepth {
		return sv, false, errDepth
	}
	if !p.hasNext() {
		return sv, true, nil
	}
	if embedded && p.consume(`"`) {
		return p.quoted(), false, nil
	}
	if p.literal(embedded, "null") {
		return sv, true, nil
	}
	if p.literal(embedded, "true") {
		return connect.SchemaAndValue{Schema: connect.BooleanSchema, Value: true}, false, nil
	}
	if p.literal(embedded, "false") {
		return connect.SchemaAndValue{Schema: connect.BooleanSchema, Value: false}, false, nil
	}
	mark := p.mark()
	if read := p.container(); read != nil {
		if sv, err = read(depth); err == nil || errors.Is(err, errDepth) {
			return sv, false, err
		}
		p.rewind(mark)
	}
	token := p.take()
	if blank(token) {
		return stringValue(token), false, nil
	}
	sv, err = p.scalar(embedded, trim(token))
	return sv, false, err
}

// container consumes the bracket that begins a list or map, and returns what reads the rest.
func (p *parser) container() func(depth int) (connect.SchemaAndValue, error) {
	switch {
	case p.consume("["):
		return p.array
	case p.consume("{"):
		return p.mapping
	}
	return nil
}

// literal consumes one of the words that are values; at the top the text must end with it.
func (p *parser) literal(embedded bool, word string) bool {
	mark := p.mark()
	if p.consume(word) && (embedded || !p.hasNext()) {
		return true
	}
	p.rewind(mark)
	return false
}

// scalar reads a number or a date.
func (p *parser) scalar(embedded bool, token string) (connect.SchemaAndValue, error) {
	first, _ := utf8.DecodeRuneInString(token)
	digit := first <= 0xFFFF && javatext.Digit(first) >= 0
	if digit {
		if sv, ok := p.temporalTokens(token); ok {
			return sv, nil
		}
	}
	if digit || first == '+' || first == '-' {
		if sv, ok := parseNumber(token); ok {
			return sv, nil
		}
	}
	if embedded {
		return connect.SchemaAndValue{}, errUnparsed
	}
	return stringValue(p.text), nil
}

// quoted reads up to the next quotation mark. Backslashes stay.
func (p *parser) quoted() connect.SchemaAndValue {
	var b strings.Builder
	for p.hasNext() && !p.consume(`"`) {
		b.WriteString(p.take())
	}
	s := b.String()
	if sv, ok := p.temporal(s); ok {
		return sv
	}
	return stringValue(s)
}

func (p *parser) array(depth int) (connect.SchemaAndValue, error) {
	list := []any{}
	var element merger
	for p.hasNext() {
		if p.consume("]") {
			if element.common == nil {
				return connect.SchemaAndValue{Schema: untypedArray, Value: list}, nil
			}
			for i, e := range list {
				v, err := p.codec.convertTo(element.common, nil, e)
				if err != nil {
					return connect.SchemaAndValue{}, err
				}
				list[i] = v
			}
			return connect.SchemaAndValue{Schema: arrayOf(element.common), Value: list}, nil
		}
		if p.consume(",") {
			return connect.SchemaAndValue{}, errUnparsed // an empty element
		}
		sv, null, err := p.parse(true, depth+1)
		if err != nil {
			return connect.SchemaAndValue{}, err
		}
		element.merge(sv, null)
		list = append(list, sv.Value)
		mark := p.mark()
		if p.consume("]") {
			p.rewind(mark)
		} else if !p.consume(",") {
			return connect.SchemaAndValue{}, errUnparsed
		}
	}
	return connect.SchemaAndValue{}, errUnparsed // not closed
}

func (p *parser) mapping(depth int) (connect.SchemaAndValue, error) {
	m := connect.NewMapValue(0)
	var key, value merger
	for p.hasNext() {
		if p.consume("}") {
			return p.closeMap(m, key.common, value.common)
		}
		if p.consume(",") {
			return connect.SchemaAndValue{}, errUnparsed // an empty entry
		}
		k, null, err := p.parse(true, depth+1)
		if err != nil {
			return connect.SchemaAndValue{}, err
		}
		if null || k.Value == nil || !p.consume(":") {
			return connect.SchemaAndValue{}, errUnparsed
		}
		v, vnull, err := p.parse(true, depth+1)
		if err != nil {
			return connect.SchemaAndValue{}, err
		}
		m.Set(k.Value, v.Value)
		p.consume(",")
		key.merge(k, false)
		value.merge(v, vnull)
	}
	return connect.SchemaAndValue{}, errUnparsed // not closed
}

// closeMap gives the keys, and the values too if they have a common schema, the type of that.
func (p *parser) closeMap(m *connect.Map, key, value *connect.Schema) (connect.SchemaAndValue, error) {
	if key == nil {
		return connect.SchemaAndValue{Schema: untypedMap, Value: m}, nil
	}
	out := connect.NewMapValue(m.Len())
	for _, e := range m.Entries() {
		k, err := p.codec.convertTo(key, nil, e.Key)
		if err != nil {
			return connect.SchemaAndValue{}, err
		}
		v := e.Value
		if value != nil {
			if v, err = p.codec.convertTo(value, nil, v); err != nil {
				return connect.SchemaAndValue{}, err
			}
		}
		out.Set(k, v)
	}
	b := connect.NewMapOfKeys(key)
	if value != nil {
		b = connect.NewMap(key, value)
	}
	s, err := b.Build()
	return connect.SchemaAndValue{Schema: s, Value: out}, err
}

// temporalTokens reads a date that colons divide into tokens: the token with the four that follow, or alone.
func (p *parser) temporalTokens(token string) (connect.SchemaAndValue, bool) {
	mark := p.mark()
	all := true
	for range 4 {
		if all = p.hasNext(); !all {
			break
		}
		p.take()
	}
	if rest := p.text[mark:p.pos]; all && len(token)+len(rest) <= maxTemporal {
		if sv, ok := p.temporal(token + rest); ok {
			return sv, true
		}
	}
	p.rewind(mark)
	return p.temporal(token)
}

// maxTemporal is more than the text of a date can have in bytes, escapes included.
const maxTemporal = 24 * (1 + utf8.UTFMax)

// temporal reads a time, date or timestamp, whose number of characters tells them apart.
func (p *parser) temporal(text string) (connect.SchemaAndValue, bool) {
	if len(text) < 10 || len(text) > maxTemporal {
		return connect.SchemaAndValue{}, false
	}
	if strings.Contains(text, `\:`) {
		text = strings.ReplaceAll(text, `\:`, ":")
	}
	var t time.Time
	var s *connect.Schema
	ok := false
	switch utf16Len(text) {
	case 10:
		s = connect.DateSchema
		t, _, ok = p.codec.date.Parse(text)
	case 13:
		s = connect.TimeSchema
		t, _, ok = p.codec.time.Parse(text)
	case 24:
		s = connect.TimestampSchema
		t, _, ok = p.codec.timestamp.Parse(text)
	}
	if !ok {
		return connect.SchemaAndValue{}, false
	}
	return connect.SchemaAndValue{Schema: s, Value: t}, true
}

func utf16Len(s string) int {
	n := 0
	for _, c := range s {
		n++
		if c > 0xFFFF {
			n++
		}
	}
	return n
}
