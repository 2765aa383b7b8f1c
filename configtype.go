package connect

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// ConfigType is the type of a configuration key.
type ConfigType int8

// The types of configuration keys, with the Go type of a parsed value.
const (
	ConfigBoolean  ConfigType = iota + 1 // bool
	ConfigString                         // string
	ConfigInt                            // int32
	ConfigShort                          // int16
	ConfigLong                           // int64
	ConfigDouble                         // float64
	ConfigList                           // []string
	ConfigClass                          // string: the class or alias of a plugin
	ConfigPassword                       // Password
)

var configTypeNames = [...]string{"", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}

// String returns the name of the type as the REST API spells it: BOOLEAN, STRING, INT and so on.
func (t ConfigType) String() string {
	if t < 0 || int(t) >= len(configTypeNames) {
		return "ConfigType(" + strconv.Itoa(int(t)) + ")"
	}
	return configTypeNames[t]
}

// Format returns the text of a value of the type, as the REST API shows it; ok is false for nil. The items of a LIST are
// joined by commas, and a [Password] is hidden.
func (t ConfigType) Format(value any) (text string, ok bool) {
	if value == nil {
		return "", false
	}
	if items, isList := configItems(value); isList && t == ConfigList {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = configValueText(item)
		}
		return strings.Join(texts, ","), true
	}
	return configValueText(value), true
}

// errNoNumber says that a text is not a number of the wanted type.
var errNoNumber = errors.New("not a number")

// parse returns value as a value of the type, or an error that is shown to the user. Of a CLASS it checks with find,
// unless that is nil, that there is such a class.
func (t ConfigType) parse(name string, value any, find func(string) (string, bool)) (any, error) {
	if value == nil {
		return nil, nil
	}
	text, isText := value.(string)
	trimmed := trimJava(text)
	switch t {
	case ConfigBoolean:
		if b, ok := value.(bool); ok {
			return b, nil
		}
		switch {
		case isText && strings.EqualFold(trimmed, "true"):
			return true, nil
		case isText && strings.EqualFold(trimmed, "false"):
			return false, nil
		}
		return nil, InvalidValue(name, value, "Expected value to be either true or false")
	case ConfigString:
		if isText {
			return trimmed, nil
		}
		return nil, t.mismatch(name, value, "a string")
	case ConfigPassword:
		if p, ok := value.(Password); ok {
			return p, nil
		}
		if isText {
			return NewPassword(trimmed), nil
		}
		return nil, t.mismatch(name, value, "a string")
	case ConfigInt:
		switch v := value.(type) {
		case int32:
			return v, nil
		case int:
			if v == int(int32(v)) {
				return int32(v), nil
			}
		case string:
			n, err := parseJavaInt(trimmed, 32)
			return t.number(name, value, int32(n), err)
		}
		return nil, t.mismatch(name, value, "a 32-bit integer")
	case ConfigShort:
		switch v := value.(type) {
		case int16:
			return v, nil
		case int:
			if v == int(int16(v)) {
				return int16(v), nil
			}
		case string:
			n, err := parseJavaInt(trimmed, 16)
			return t.number(name, value, int16(n), err)
		}
		return nil, t.mismatch(name, value, "a 16-bit integer (short)")
	case ConfigLong:
		switch v := value.(type) {
		case int64:
			return v, nil
		case int32:
			return int64(v), nil
		case int:
			return int64(v), nil
		case string:
			n, err := parseJavaInt(trimmed, 64)
			return t.number(name, value, n, err)
		}
		return nil, t.mismatch(name, value, "a 64-bit integer (long)")
	case ConfigDouble:
		if f, ok := toFloat64(value); ok {
			return f, nil
		}
		if isText {
			f, err := parseJavaDouble(trimmed)
			return t.number(name, value, f, err)
		}
		return nil, t.mismatch(name, value, "a double")
	case ConfigList:
		switch v := value.(type) {
		case []string, []any:
			return v, nil
		case string:
			return splitList(trimmed), nil
		}
		return nil, InvalidValue(name, value, "Expected a comma separated list.")
	case ConfigClass:
		if !isText {
			return nil, InvalidValue(name, value, "Expected a Class instance or class name.")
		}
		class, ok := trimmed, trimmed != ""
		if ok && find != nil {
			class, ok = find(trimmed)
		}
		if !ok {
			return nil, InvalidValue(name, value, "Class "+text+" could not be found.")
		}
		return class, nil
	}
	return nil, ConfigErrorf(name, "Configuration %s has the unknown type %v", name, t)
}

func (t ConfigType) number(name string, value, n any, err error) (any, error) {
	if err != nil {
		return nil, InvalidValue(name, value, "Not a number of type "+t.String())
	}
	return n, nil
}

func (t ConfigType) mismatch(name string, value any, want string) error {
	return InvalidValue(name, value, "Expected value to be "+want+", but it was a "+configJavaClass(value))
}

// InvalidValue returns the *[ConfigError] for a value that is refused, in Connect's words: "Invalid value V for
// configuration KEY: WHY". It hides the value if it is a [Password].
func InvalidValue(key string, value any, why string) error {
	message := "Invalid value " + configValueText(value) + " for configuration " + key
	if why != "" {
		message += ": " + why
	}
	return &ConfigError{Key: key, Message: message}
}

// configValueText returns the text of a value as Java prints it.
func configValueText(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return v
	case fmt.Stringer: // Password and the like
		return v.String()
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	}
	return FormatValue(value)
}

// configItems returns the items of a value of a LIST.
func configItems(value any) ([]any, bool) {
	switch v := value.(type) {
	case []any:
		return v, true
	case []string:
		items := make([]any, len(v))
		for i := range v {
			items[i] = v[i]
		}
		return items, true
	}
	return nil, false
}

// configJavaClass returns the Java class that a value of the Go type stands for, which users know from messages.
func configJavaClass(value any) string {
	switch value.(type) {
	case bool:
		return "java.lang.Boolean"
	case int8:
		return "java.lang.Byte"
	case int16:
		return "java.lang.Short"
	case int32:
		return "java.lang.Integer"
	case int64, int:
		return "java.lang.Long"
	case float32:
		return "java.lang.Float"
	case float64:
		return "java.lang.Double"
	case string:
		return "java.lang.String"
	case []byte:
		return "[B"
	case []any, []string:
		return "java.util.ArrayList"
	case Password:
		return "org.apache.kafka.common.config.types.Password"
	}
	if _, ok := AsMap(value); ok {
		return "java.util.LinkedHashMap"
	}
	return fmt.Sprintf("%T", value)
}

// trimJava removes what Java's String.trim removes: space and everything below it at both ends.
func trimJava(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// splitList splits a trimmed text at its commas, with the white space around them. An empty text has no items.
func splitList(s string) []string {
	if s == "" {
		return []string{}
	}
	items := strings.Split(s, ",")
	for i := range items {
		items[i] = strings.Trim(items[i], " \t\n\v\f\r")
	}
	return items
}

// parseJavaInt parses as Java's Integer.parseInt and its like do: decimal digits of any script.
func parseJavaInt(s string, bits int) (int64, error) {
	for i := range len(s) {
		if s[i] >= 0x80 {
			s = asciiDigits(s)
			break
		}
	}
	return strconv.ParseInt(s, 10, bits)
}

// asciiDigits replaces the decimal digits of other scripts. Java reads 16-bit characters, so it knows those of the
// basic plane alone.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || r > 0xffff || !unicode.Is(unicode.Nd, r) {
			return r
		}
		for _, block := range unicode.Nd.R16 {
			if lo, hi := rune(block.Lo), rune(block.Hi); lo <= r && r <= hi {
				return '0' + (r-lo)%10
			}
		}
		return r
	}, s)
}

// parseJavaDouble parses as Java's Double.parseDouble does: also with a suffix f or d, and in hexadecimal. What is too
// large is infinite.
func parseJavaDouble(s string) (float64, error) {
	body := strings.TrimLeft(s, "+-")
	if len(s)-len(body) > 1 {
		return 0, errNoNumber
	}
	switch {
	case body == "NaN":
		return math.NaN(), nil
	case body == "Infinity":
		if s[0] == '-' {
			return math.Inf(-1), nil
		}
		return math.Inf(1), nil
	case body == "" || body[0] != '.' && (body[0] < '0' || body[0] > '9') || strings.ContainsAny(body, "_"):
		return 0, errNoNumber // Inf, nan and 1_0 are numbers in Go alone
	}
	if end := s[len(s)-1]; end == 'f' || end == 'F' || end == 'd' || end == 'D' {
		if hex := strings.HasPrefix(body, "0x") || strings.HasPrefix(body, "0X"); !hex || strings.ContainsAny(body, "pP") {
			s = s[:len(s)-1]
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return f, err
}

func toFloat64(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}
