package predicate

import "github.com/gokconnect/connect"

// recordIsTombstone is true for records without a value, whatever the value's schema.
type recordIsTombstone struct{}

func (recordIsTombstone) Test(r *connect.Record) (bool, error) {
	switch v := r.Value.(type) {
	case nil:
		return true, nil
	case []byte:
		return v == nil, nil
	}
	return false, nil
}

func newRecordIsTombstone(*connect.ParsedConfig) (connect.Predicate, error) {
	return recordIsTombstone{}, nil
}
