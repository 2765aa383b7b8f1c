package connconfig

import "github.com/gokconnect/connect"

// Result is the answer to a request to validate a connector's configuration, as the REST API gives it.
type Result struct {
	Name       string   `json:"name"`
	ErrorCount int      `json:"error_count"`
	Groups     []string `json:"groups"`
	Configs    []Config `json:"configs"`
}

// Config is what is known of one key.
type Config struct {
	Definition *Definition `json:"definition"` // nil for a key that nothing defines
	Value      *Value      `json:"value"`      // nil for one that was not validated
}

// Definition is a key's definition as text.
type Definition struct {
	Name          string   `json:"name"`
	Type          string   `json:"type"`
	Required      bool     `json:"required"`
	Default       *string  `json:"default_value"`
	Importance    string   `json:"importance"`
	Documentation string   `json:"documentation"`
	Group         *string  `json:"group"`
	Order         int      `json:"order_in_group"`
	Width         string   `json:"width"`
	DisplayName   string   `json:"display_name"`
	Dependents    []string `json:"dependents"`
}

// Value is the outcome of validation for one key as text.
type Value struct {
	Name        string   `json:"name"`
	Value       *string  `json:"value"`
	Recommended []string `json:"recommended_values"`
	Errors      []string `json:"errors"`
	Visible     bool     `json:"visible"`
}

// Errors returns all messages of the result in order.
func (r *Result) Errors() []string {
	var all []string
	for _, c := range r.Configs {
		if c.Value != nil {
			all = append(all, c.Value.Errors...)
		}
	}
	return all
}

// Describe returns a key's definition with a prefix before its name.
func Describe(prefix string, k connect.ConfigKey) *Definition {
	d := &Definition{
		Name: prefix + k.Name, Type: k.Type.String(), Required: k.Required(), Importance: k.Importance.String(), Documentation: k.Documentation,
		Order: k.Order, Width: k.Width.String(), DisplayName: k.DisplayName, Dependents: append([]string{}, k.Dependents...),
	}
	if !d.Required {
		d.Default = textOf(k.Type, k.Default)
	}
	if k.Group != "" {
		d.Group = &k.Group
	}
	return d
}

func describeValue(prefix string, typ connect.ConfigType, v *connect.ConfigValue) *Value {
	d := &Value{Name: prefix + v.Name, Value: textOf(typ, v.Value), Recommended: []string{}, Errors: append([]string{}, v.Errors...), Visible: v.Visible}
	for _, r := range v.Recommended {
		if text, ok := typ.Format(r); ok {
			d.Recommended = append(d.Recommended, text)
		}
	}
	return d
}

func textOf(typ connect.ConfigType, value any) *string {
	text, ok := typ.Format(value)
	if !ok {
		return nil
	}
	return &text
}
