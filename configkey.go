package connect

import (
	"slices"
	"strconv"
)

// Importance says how much a key matters to most users. It only orders and decorates; the zero value is Medium.
type Importance int8

// The degrees of importance.
const (
	High Importance = iota + 1
	Medium
	Low
)

// String returns HIGH, MEDIUM or LOW.
func (i Importance) String() string {
	switch i {
	case High:
		return "HIGH"
	case Low:
		return "LOW"
	case 0, Medium:
		return "MEDIUM"
	}
	return "Importance(" + strconv.Itoa(int(i)) + ")"
}

// Width says how wide a form shows the key's value.
type Width int8

// The widths.
const (
	WidthNone Width = iota
	WidthShort
	WidthMedium
	WidthLong
)

// String returns NONE, SHORT, MEDIUM or LONG.
func (w Width) String() string {
	switch w {
	case WidthNone:
		return "NONE"
	case WidthShort:
		return "SHORT"
	case WidthMedium:
		return "MEDIUM"
	case WidthLong:
		return "LONG"
	}
	return "Width(" + strconv.Itoa(int(w)) + ")"
}

// Required is the Default of a key that has none: its user must set it.
var Required = new(struct{ required bool })

// ConfigKey defines one key of a configuration. Name and Type are needed, and Default is worth a thought: its zero
// value, nil, makes the key optional, with no value unless its user gives one.
type ConfigKey struct {
	// Name is the key.
	Name string
	// Type is the type of the key's values.
	Type ConfigType
	// Default is the value where the user gives none: [Required] if he must give one, nil, a value of Type (an int fits
	// every type of number) or its text. It is parsed and validated when the key is defined.
	Default any
	// Validator checks values, the default included; nil accepts everything.
	Validator ConfigValidator
	// Importance, Group, Order, Width and DisplayName are for documentation and forms and have no other effect.
	Importance Importance
	// Documentation says what the key does, in a sentence or more.
	Documentation string
	// Group is the heading that the key stands under, or "" for none.
	Group string
	// Order is the place of the key in its group. Without a group, 0 is taken as -1, which is Connect's "none".
	Order int
	// Width is the width of a form's field.
	Width Width
	// DisplayName is the name for people: Name if empty.
	DisplayName string
	// Dependents are the names of keys whose recommended values or visibility depend on this key's value. They are
	// evaluated after it.
	Dependents []string
	// Recommender tells the valid values of the key, or is nil.
	Recommender Recommender
	// Internal keeps the key out of documentation.
	Internal bool
}

// Required reports whether the key has no default.
func (k ConfigKey) Required() bool { return k.Default == Required }

// complete fills in what was left out, and parses and validates the default.
func (k ConfigKey) complete() (ConfigKey, error) {
	switch {
	case k.Name == "":
		return k, ConfigErrorf("", "A configuration key has no name")
	case k.Type < ConfigBoolean || k.Type > ConfigPassword:
		return k, ConfigErrorf(k.Name, "Configuration %s has the unknown type %d", k.Name, int(k.Type))
	}
	if k.Importance == 0 {
		k.Importance = Medium
	}
	if k.Group == "" && k.Order == 0 {
		k.Order = -1
	}
	if k.DisplayName == "" {
		k.DisplayName = k.Name
	}
	k.Dependents = slices.Clone(k.Dependents)
	if k.Required() {
		return k, nil
	}
	var err error
	if k.Default, err = k.Type.parse(k.Name, k.Default, nil); err != nil {
		return k, err
	}
	if k.Validator != nil {
		err = k.Validator.Validate(k.Name, k.Default)
	}
	return k, err
}
