package jsonconv

import (
	"strconv"

	"github.com/gokconnect/connect"
)

// appendSchema appends a schema as JSON, with its members in Connect's order. field is the name that a struct's field
// has, or nil.
func (e *encoder) appendSchema(dst []byte, p *plan, field *string) ([]byte, error) {
	if p == nil {
		return append(dst, "null"...), nil
	}
	s := p.schema
	dst = append(dst, `{"type":"`...)
	dst = append(dst, namesByType[s.Type()]...)
	dst = append(dst, '"')
	var err error
	switch s.Type() {
	case connect.TypeArray:
		dst, err = e.appendSchema(append(dst, `,"items":`...), p.element, nil)
	case connect.TypeMap:
		if dst, err = e.appendSchema(append(dst, `,"keys":`...), p.key, nil); err == nil {
			dst, err = e.appendSchema(append(dst, `,"values":`...), p.element, nil)
		}
	case connect.TypeStruct:
		dst = append(dst, `,"fields":[`...)
		for i := range p.fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = e.appendSchema(dst, p.fields[i].plan, &p.fields[i].name); err != nil {
				break
			}
		}
		dst = append(dst, ']')
	}
	if err != nil {
		return dst, err
	}
	dst = strconv.AppendBool(append(dst, `,"optional":`...), s.Optional())
	if s.HasName() {
		dst = appendString(append(dst, `,"name":`...), s.Name())
	}
	if v, ok := s.Version(); ok {
		dst = strconv.AppendInt(append(dst, `,"version":`...), int64(v), 10)
	}
	if s.HasDoc() {
		dst = appendString(append(dst, `,"doc":`...), s.Doc())
	}
	if params := s.Parameters(); len(params) > 0 {
		dst = append(dst, `,"parameters":{`...)
		for i, p := range params {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, p.Key), ':')
			dst = appendString(dst, p.Value)
		}
		dst = append(dst, '}')
	}
	if d := s.Default(); d != nil {
		if dst, err = e.standIn(append(dst, `,"default":`...), p, d); err != nil {
			return dst, err
		}
	}
	if field != nil {
		dst = appendString(append(dst, `,"field":`...), *field)
	}
	return append(dst, '}'), nil
}
