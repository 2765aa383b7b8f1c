package worker

import (
	"fmt"
	"strconv"
)

// appendKeyPart appends a text with its length, so that parts can't run into one another.
func appendKeyPart(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// typedText returns a text that two primitive values share only if they have the same type and value.
func typedText(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return "s" + v
	case []byte:
		return "b" + string(v)
	}
	return fmt.Sprintf("%T %v", v, v)
}
