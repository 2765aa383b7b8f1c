package jsonconv

import (
	"time"

	"github.com/gokconnect/connect"
)

// fromNode returns the value of a node by its schema; without one the node speaks for itself. n is nil for a member
// that is not there. It does what Connect does, step by step; decoder is for speed.
func (c *Converter) fromNode(s *connect.Schema, n *node) (any, error) {
	if s == nil {
		return c.fromNodeAlone(n)
	}
	if n == nil || n.kind == kindNull {
		if d := s.Default(); d != nil && !c.opts.KeepNull {
			return d, nil
		}
		if s.Optional() {
			return nil, nil
		}
		return nil, connect.DataErrorf("Invalid null value for required %v field", s.Type())
	}
	switch s.Name() {
	case connect.DecimalName:
		return decimalOf(s, n)
	case connect.DateName, connect.TimeName, connect.TimestampName:
		return timeOf(s, n)
	}
	num := &n.number // zero if n is none, as Jackson's conversion of other nodes
	switch s.Type() {
	case connect.TypeInt8:
		return int8(num.low()), nil
	case connect.TypeInt16:
		return int16(num.low()), nil
	case connect.TypeInt32:
		return int32(num.low()), nil
	case connect.TypeInt64:
		return int64(num.low()), nil
	case connect.TypeFloat32:
		return num.float32(), nil
	case connect.TypeFloat64:
		return num.float64(), nil
	case connect.TypeBoolean:
		return n.truth, nil
	case connect.TypeString:
		if n.kind != kindString {
			return nil, nil
		}
		return n.text, nil
	case connect.TypeBytes:
		if n.kind != kindString {
			return nil, nil
		}
		b, err := decodeBase64(n.text)
		if err != nil {
			return nil, &connect.DataError{Message: "Invalid bytes field", Err: err}
		}
		return b, nil
	case connect.TypeArray:
		list := make([]any, len(n.items)) // an object's members count as elements
		for i := range n.items {
			var err error
			if list[i], err = c.fromNode(s.Value(), &n.items[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	case connect.TypeMap:
		return c.mapOf(s, n)
	}
	return c.structOf(s, n)
}

func (c *Converter) fromNodeAlone(n *node) (any, error) {
	switch n.kind {
	case kindBoolean:
		return n.truth, nil
	case kindNumber:
		if n.number.float {
			return n.number.float64(), nil
		}
		return int64(n.number.bits), nil
	case kindString:
		return n.text, nil
	case kindArray:
		list := make([]any, len(n.items))
		for i := range n.items {
			list[i], _ = c.fromNodeAlone(&n.items[i])
		}
		return list, nil
	case kindObject:
		entries := make([]connect.Entry, len(n.items))
		for i := range n.items {
			entries[i].Key = n.names[i]
			entries[i].Value, _ = c.fromNodeAlone(&n.items[i])
		}
		return connect.MapOfDistinct(entries), nil
	}
	return nil, nil
}

func (c *Converter) mapOf(s *connect.Schema, n *node) (any, error) {
	if s.Key().Type() == connect.TypeString {
		if n.kind != kindObject {
			return nil, connect.DataErrorf("Maps with string fields should be encoded as JSON objects, but found %v", n.kind)
		}
		entries := make([]connect.Entry, len(n.items))
		for i := range n.items {
			v, err := c.fromNode(s.Value(), &n.items[i])
			if err != nil {
				return nil, err
			}
			entries[i] = connect.Entry{Key: n.names[i], Value: v}
		}
		return connect.MapOfDistinct(entries), nil
	}
	if n.kind != kindArray {
		return nil, connect.DataErrorf("Maps with non-string fields should be encoded as JSON array of tuples, but found %v", n.kind)
	}
	m := connect.NewMapValue(len(n.items))
	for i := range n.items {
		pair := &n.items[i]
		if pair.kind != kindArray {
			return nil, connect.DataErrorf("Found invalid map entry instead of array tuple: %v", pair.kind)
		}
		if len(pair.items) != 2 {
			return nil, connect.DataErrorf("Found invalid map entry, expected length 2 but found :%d", len(pair.items))
		}
		k, err := c.fromNode(s.Key(), &pair.items[0])
		if err != nil {
			return nil, err
		}
		v, err := c.fromNode(s.Value(), &pair.items[1])
		if err != nil {
			return nil, err
		}
		m.Set(k, v)
	}
	return m, nil
}

func (c *Converter) structOf(s *connect.Schema, n *node) (any, error) {
	if n.kind != kindObject {
		return nil, connect.DataErrorf("Structs should be encoded as JSON objects, but found %v", n.kind)
	}
	st, err := connect.NewStructValue(s)
	if err != nil {
		return nil, err
	}
	for _, f := range s.Fields() {
		v, err := c.fromNode(f.Schema, n.get(f.Name))
		if err != nil {
			return nil, err
		}
		if err := st.Put(f.Name, v); err != nil {
			return nil, err
		}
	}
	return st, nil
}

func decimalOf(s *connect.Schema, n *node) (any, error) {
	switch n.kind {
	case kindNumber:
		d, err := n.number.decimal()
		if err != nil {
			return nil, &connect.DataError{Message: "Invalid number for Decimal field", Err: err}
		}
		return d, nil
	case kindString:
		b, err := decodeBase64(n.text)
		var d connect.Decimal
		if err == nil {
			d, err = connect.ToDecimal(s, b)
		}
		if err != nil {
			return nil, &connect.DataError{Message: "Invalid bytes for Decimal field", Err: err}
		}
		return d, nil
	}
	return nil, connect.DataErrorf("Invalid type for Decimal, underlying representation should be numeric or bytes but was %v", n.kind)
}

func timeOf(s *connect.Schema, n *node) (any, error) {
	if s.Name() == connect.TimestampName {
		if n.kind != kindNumber || n.number.float {
			return nil, connect.DataErrorf("Invalid type for Timestamp, underlying representation should be integral but was %v", n.kind)
		}
		return instant(connect.ToTimestamp(s, int64(n.number.bits)))
	}
	name, to := "Date", connect.ToDate
	if s.Name() == connect.TimeName {
		name, to = "Time", connect.ToTime
	}
	if n.kind != kindNumber || !n.number.isInt32() {
		return nil, connect.DataErrorf("Invalid type for %s, underlying representation should be integer but was %v", name, n.kind)
	}
	return instant(to(s, int32(n.number.bits)))
}

func instant(t time.Time, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return t, nil
}
