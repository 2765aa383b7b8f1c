package jsonconv

import (
	"sync/atomic"

	"github.com/gokconnect/connect"
)

// form is how values of a schema stand in JSON.
type form uint8

const (
	formInt8 form = iota + 1
	formInt16
	formInt32
	formInt64
	formFloat32
	formFloat64
	formBoolean
	formString
	formBytes
	formArray
	formObject // a map with texts as keys
	formPairs  // any other map
	formStruct
	formDecimal
	formDate
	formTime
	formTimestamp
)

var forms = [...]form{
	connect.TypeInt8: formInt8, connect.TypeInt16: formInt16, connect.TypeInt32: formInt32, connect.TypeInt64: formInt64,
	connect.TypeFloat32: formFloat32, connect.TypeFloat64: formFloat64, connect.TypeBoolean: formBoolean,
	connect.TypeString: formString, connect.TypeBytes: formBytes, connect.TypeArray: formArray, connect.TypeMap: formPairs,
	connect.TypeStruct: formStruct,
}

// plan is what converting values of a schema needs to know, found out once. It does not change but for same.
type plan struct {
	schema   *connect.Schema
	form     form
	odd      bool // a logical name on another type than its own, which only the decoder of nodes knows
	optional bool
	def      any  // what stands for null, or nil
	defFits  bool // def is valid as a part of another value
	element  *plan
	key      *plan
	fields   []fieldPlan
	index    map[string]int
	same     atomic.Pointer[connect.Schema] // another schema that was seen to equal schema
}

type fieldPlan struct {
	*plan
	name   string
	quoted []byte // the name as JSON with its colon
	plain  bool   // the name has no escape in JSON
}

// newPlan returns the plan of a schema; replaceNull says whether a default takes the place of null.
func newPlan(s *connect.Schema, replaceNull bool) *plan {
	if s == nil {
		return nil
	}
	p := &plan{schema: s, form: forms[s.Type()], optional: s.Optional()}
	if replaceNull {
		p.def = s.Default()
		p.defFits = p.def == nil || s.Validate(p.def) == nil
	}
	switch s.Type() {
	case connect.TypeArray:
		p.element = newPlan(s.Value(), replaceNull)
	case connect.TypeMap:
		p.key, p.element = newPlan(s.Key(), replaceNull), newPlan(s.Value(), replaceNull)
		if p.key != nil && s.Key().Type() == connect.TypeString {
			p.form = formObject
			p.odd = p.key.form != formString
		}
	case connect.TypeStruct:
		fields := s.Fields()
		p.fields = make([]fieldPlan, len(fields))
		p.index = make(map[string]int, len(fields))
		for i, f := range fields {
			quoted := appendString(nil, f.Name)
			p.fields[i] = fieldPlan{
				plan: newPlan(f.Schema, replaceNull), name: f.Name,
				plain: string(quoted[1:len(quoted)-1]) == f.Name, quoted: append(quoted, ':'),
			}
			p.index[f.Name] = i
		}
	}
	logical := func(f form, t connect.Type) { p.form, p.odd = f, s.Type() != t }
	switch s.Name() {
	case connect.DecimalName:
		logical(formDecimal, connect.TypeBytes)
	case connect.DateName:
		logical(formDate, connect.TypeInt32)
	case connect.TimeName:
		logical(formTime, connect.TypeInt32)
	case connect.TimestampName:
		logical(formTimestamp, connect.TypeInt64)
	}
	return p
}

// equals reports whether the plan's schema equals s.
func (p *plan) equals(s *connect.Schema) bool {
	if s == p.schema || s == p.same.Load() {
		return true
	}
	if !p.schema.Equal(s) {
		return false
	}
	p.same.Store(s)
	return true
}
