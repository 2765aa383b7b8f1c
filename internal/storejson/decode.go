// Package storejson is JSON as the internal topics of Kafka Connect hold it: what its JsonConverter reads and writes
// without schemas.
package storejson

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gokconnect/connect"
)

const (
	// maxDigits bounds the length of a number, whose conversion takes time that grows faster than its length.
	maxDigits = 1000
	// maxDepth bounds how deep values are nested in one another.
	maxDepth = 1000
)

// Decode reads the first JSON value: nil, bool, int64, float64, string, []any or connect.Fields. No bytes, blanks and
// null are nil, and what follows the first value is ignored, all as Kafka Connect has it. Nothing refers to b. Replay of a topic spends its
// time here: encoding/json needs five times as long.
func Decode(b []byte) (any, error) {
	v, _, err := DecodeOrdered(b, "")
	return v, err
}

// DecodeOrdered is [Decode], and returns the keys of the object that the value has as that member in the order in which they
// came.
func DecodeOrdered(b []byte, member string) (v any, keys []string, err error) {
	p := parser{b: b, member: member}
	v, err = p.decode()
	return v, p.keys, err
}

func (p *parser) decode() (any, error) {
	b := p.b
	p.blanks()
	if p.at == len(b) {
		return nil, nil
	}
	if !utf8.Valid(b) {
		return nil, errors.New("it is not valid UTF-8")
	}
	v, err := p.value(0)
	if err != nil {
		return nil, fmt.Errorf("%w at byte %d", err, p.at)
	}
	return v, nil
}

type parser struct {
	b  []byte
	at int

	member string // whose keys are kept
	inside bool   // the object that comes next is the member
	keys   []string
}

var (
	errEnd   = errors.New("it ends too early")
	errToken = errors.New("a character does not belong there")
	errDepth = fmt.Errorf("values are nested more than %d deep", maxDepth)
)

func (p *parser) blanks() {
	for p.at < len(p.b) {
		switch p.b[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next skips blanks and returns the byte behind, 0 at the end.
func (p *parser) next() byte {
	p.blanks()
	if p.at < len(p.b) {
		return p.b[p.at]
	}
	return 0
}

func (p *parser) unexpected() error {
	if p.at >= len(p.b) {
		return errEnd
	}
	return errToken
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.text()
	case c == 't':
		return true, p.literal("true")
	case c == 'f':
		return false, p.literal("false")
	case c == 'n':
		return nil, p.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	return nil, p.unexpected()
}

func (p *parser) literal(word string) error {
	if !strings.HasPrefix(string(p.b[p.at:min(len(p.b), p.at+len(word))]), word) {
		return p.unexpected()
	}
	p.at += len(word)
	return p.delimited()
}

// delimited refuses a word or number that goes straight into something else.
func (p *parser) delimited() error {
	if p.at == len(p.b) {
		return nil
	}
	switch p.b[p.at] {
	case ' ', '\t', '\n', '\r', ',', ']', '}':
		return nil
	}
	return errToken
}

func (p *parser) object(depth int) (any, error) {
	p.at++
	ordered := p.inside
	p.inside = false
	if ordered {
		p.keys = nil
	}
	fields := connect.Fields{}
	if p.next() == '}' {
		p.at++
		return fields, nil
	}
	for {
		if p.next() != '"' {
			return nil, p.unexpected()
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if p.next() != ':' {
			return nil, p.unexpected()
		}
		p.at++
		if ordered {
			if _, again := fields[name]; !again {
				p.keys = append(p.keys, name)
			}
		}
		p.inside = depth == 0 && p.member != "" && name == p.member
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		fields[name] = v
		switch p.next() {
		case ',':
			p.at++
		case '}':
			p.at++
			return fields, nil
		default:
			return nil, p.unexpected()
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	p.at++
	list := []any{}
	if p.next() == ']' {
		p.at++
		return list, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		switch p.next() {
		case ',':
			p.at++
		case ']':
			p.at++
			return list, nil
		default:
			return nil, p.unexpected()
		}
	}
}

func (p *parser) text() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '"':
			s := string(p.b[start:p.at])
			p.at++
			return s, nil
		case c == '\\':
			return p.escaped(append([]byte{}, p.b[start:p.at]...))
		case c < ' ':
			return "", errToken
		}
		p.at++
	}
	return "", errEnd
}

// escaped goes on with a text from its first escape; s is what came before.
func (p *parser) escaped(s []byte) (string, error) {
	for p.at < len(p.b) {
		c := p.b[p.at]
		switch {
		case c == '"':
			p.at++
			return string(s), nil
		case c < ' ':
			return "", errToken
		case c != '\\':
			s = append(s, c)
			p.at++
			continue
		}
		p.at++
		if p.at == len(p.b) {
			return "", errEnd
		}
		c = p.b[p.at]
		p.at++
		switch c {
		case '"', '\\', '/':
			s = append(s, c)
		case 'b':
			s = append(s, '\b')
		case 'f':
			s = append(s, '\f')
		case 'n':
			s = append(s, '\n')
		case 'r':
			s = append(s, '\r')
		case 't':
			s = append(s, '\t')
		case 'u':
			r, err := p.unit()
			if err != nil {
				return "", err
			}
			if utf16.IsSurrogate(r) {
				before := p.at
				low := rune(-1)
				if p.at+1 < len(p.b) && p.b[p.at] == '\\' && p.b[p.at+1] == 'u' {
					p.at += 2
					if low, err = p.unit(); err != nil {
						return "", err
					}
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					p.at = before // what comes next stands for itself
				}
			}
			s = utf8.AppendRune(s, r)
		default:
			p.at--
			return "", errToken
		}
	}
	return "", errEnd
}

func (p *parser) unit() (rune, error) {
	if len(p.b)-p.at < 4 {
		return 0, errEnd
	}
	var r rune
	for _, c := range p.b[p.at : p.at+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, errToken
		}
		r = r<<4 | rune(c)
	}
	p.at += 4
	return r, nil
}

// number returns an int64, with what does not fit wrapped around, or a float64.
func (p *parser) number() (any, error) {
	start := p.at
	whole := true
	if p.b[p.at] == '-' {
		p.at++
	}
	switch first := p.at; {
	case p.digits() == 0, p.b[first] == '0' && p.at-first > 1:
		return nil, p.unexpected()
	}
	if p.at < len(p.b) && p.b[p.at] == '.' {
		whole = false
		p.at++
		if p.digits() == 0 {
			return nil, p.unexpected()
		}
	}
	if p.at < len(p.b) && p.b[p.at]|0x20 == 'e' {
		whole = false
		p.at++
		if p.at < len(p.b) && (p.b[p.at] == '+' || p.b[p.at] == '-') {
			p.at++
		}
		if p.digits() == 0 {
			return nil, p.unexpected()
		}
	}
	if err := p.delimited(); err != nil {
		return nil, err
	}
	s := string(p.b[start:p.at])
	if len(s) > maxDigits {
		return nil, fmt.Errorf("a number of %d characters is too long", len(s))
	}
	if !whole {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, err
		}
		return f, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, errToken
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
	return int64(low.Uint64()), nil
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}
