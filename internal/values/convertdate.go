package values

import (
	"time"

	"github.com/gokconnect/connect"
)

// dateOf returns what a text stands for and any other value as it is, along with the time if it is one.
func (c *Codec) dateOf(v any) (value any, t time.Time, ok bool, err error) {
	if value, err = c.parsed(v); err == nil {
		t, ok = value.(time.Time)
	}
	return value, t, ok, err
}

func (c *Codec) toDate(to, from *connect.Schema, v any) (any, error) {
	v, t, ok, err := c.dateOf(v)
	if err != nil {
		return nil, err
	}
	if ok {
		if from == nil || from.Name() == connect.DateName {
			return t, nil
		}
		if from.Name() == connect.TimestampName {
			return connect.ToDate(to, int32(t.UnixMilli()/dayMillis))
		}
	}
	n, err := c.asLong(from, v, nil)
	if err != nil {
		return nil, err
	}
	return connect.ToDate(to, int32(n))
}

func (c *Codec) toTime(to, from *connect.Schema, v any) (any, error) {
	v, t, ok, err := c.dateOf(v)
	if err != nil {
		return nil, err
	}
	if ok {
		if from == nil || from.Name() == connect.TimeName {
			return t, nil
		}
		if from.Name() == connect.TimestampName {
			ms := t.UnixMilli() % dayMillis
			if ms < 0 {
				ms += dayMillis
			}
			return connect.ToTime(to, int32(ms))
		}
	}
	n, err := c.asLong(from, v, nil)
	if err != nil {
		return nil, err
	}
	return connect.ToTime(to, int32(n))
}

func (c *Codec) toTimestamp(to, from *connect.Schema, v any) (any, error) {
	v, t, ok, err := c.dateOf(v)
	if err != nil {
		return nil, err
	}
	if ok {
		if from == nil || from.Name() == connect.TimestampName {
			return t, nil
		}
		switch from.Name() {
		case connect.DateName:
			days, err := connect.FromDate(from, t)
			if err != nil {
				return nil, err
			}
			return connect.ToTimestamp(to, int64(days)*dayMillis)
		case connect.TimeName:
			ms, err := connect.FromTime(from, t)
			if err != nil {
				return nil, err
			}
			return connect.ToTimestamp(to, int64(ms))
		}
	}
	n, err := c.asLong(from, v, nil)
	if err != nil {
		return nil, err
	}
	return connect.ToTimestamp(to, n)
}
