package connect

import "context"

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

// Importance says how much a key matters to most users.
type Importance int8

// The degrees of importance.
const (
	High Importance = iota + 1
	Medium
	Low
)

// Width says how wide a form shows the key's value.
type Width int8

// The widths.
const (
	WidthNone Width = iota
	WidthShort
	WidthMedium
	WidthLong
)

// Password is a value that is never shown: every way of printing or marshalling it gives [hidden].
type Password struct{ secret string }

// NewPassword returns a Password.
func NewPassword(secret string) Password { return Password{secret} }

// Reveal returns the secret itself.
func (p Password) Reveal() string { return p.secret }

// Required is the Default of a key that has none: its user must set it.
var Required = new(struct{ required bool })

// ConfigKey defines one key of a configuration.
type ConfigKey struct {
	Name          string
	Type          ConfigType
	Default       any // Required, nil, or a value of Type (or its text)
	Validator     ConfigValidator
	Importance    Importance
	Documentation string
	Group         string
	Order         int // in the group
	Width         Width
	DisplayName   string // Name if empty
	Dependents    []string
	Recommender   Recommender
	Internal      bool // not documented
}

// ConfigValidator checks the value of a key. String describes the valid values for documentation.
type ConfigValidator interface {
	Validate(key string, value any) error
	String() string
}

// Recommender tells the valid values of a key, given the others, and whether it is of use.
type Recommender interface {
	ValidValues(key string, values map[string]any) ([]any, error)
	Visible(key string, values map[string]any) bool
}

// ConfigDef defines the keys of a configuration.
type ConfigDef struct {
	keys   []ConfigKey
	groups []string
}

// ConfigValue is the outcome of validation for one key.
type ConfigValue struct {
	Name        string
	Value       any
	Recommended []any
	Errors      []string
	Visible     bool
}

// ConfigValues is the outcome of validation, by key.
type ConfigValues map[string]*ConfigValue

// AddError adds a message to a key's errors.
func (v ConfigValues) AddError(key, message string) {
	c, ok := v[key]
	if !ok {
		c = &ConfigValue{Name: key, Visible: true}
		v[key] = c
	}
	c.Errors = append(c.Errors, message)
}

// ConfigProvider resolves ${provider:path:key} placeholders.
type ConfigProvider interface {
	Get(ctx context.Context, path string, keys []string) (ConfigData, error)
}

// ConfigData is what a [ConfigProvider] found.
type ConfigData struct {
	Values    map[string]string
	TTLMillis int64 // 0 = none
}

// OverridePolicy decides which client properties a connector may override.
type OverridePolicy interface {
	Validate(ctx context.Context, req OverrideRequest) ([]ConfigValue, error)
}

// OverrideRequest is what an [OverridePolicy] decides on.
type OverrideRequest struct {
	Connector  string
	Class      string
	Kind       Kind
	Client     string // "producer", "consumer" or "admin"
	Properties map[string]string
}
