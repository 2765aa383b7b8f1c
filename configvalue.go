package connect

import "slices"

// ConfigValue is the outcome of validation for one key.
type ConfigValue struct {
	Name        string
	Value       any      // the parsed value; nil if there is none or the text could not be parsed
	Recommended []any    // what the key's [Recommender] recommends
	Errors      []string // what is wrong, for the user; none if the value is valid
	Visible     bool     // whether a form should show the key
}

// ConfigValues is the outcome of validation, by key. It is not safe for concurrent use.
type ConfigValues map[string]*ConfigValue

// AddError adds a message to a key's errors. A key that is not there yet is added.
func (v ConfigValues) AddError(key, message string) {
	c, ok := v[key]
	if !ok {
		c = &ConfigValue{Name: key, Visible: true}
		v[key] = c
	}
	c.Errors = append(c.Errors, message)
}

// Valid reports whether no key has an error.
func (v ConfigValues) Valid() bool {
	for _, c := range v {
		if len(c.Errors) > 0 {
			return false
		}
	}
	return true
}

// Validate checks all of a configuration and reports every problem at its key: unlike [ConfigDef.Parse] it does not end
// at the first, tells of duplicates in lists, and asks the recommenders. Unknown keys are ignored.
func (d *ConfigDef) Validate(cfg Config) ConfigValues { return d.ValidateValues(cfg.values()) }

// ValidateValues is [ConfigDef.Validate] for values that may be typed already; nil is an explicit null.
func (d *ConfigDef) ValidateValues(given map[string]any) ConfigValues {
	if d == nil {
		d = &ConfigDef{}
	}
	v := validation{def: d, given: given, outcome: make(ConfigValues, len(d.keys)), parsed: make(map[string]any, len(d.keys))}
	for i := range d.keys {
		name := d.keys[i].Name
		v.outcome[name] = &ConfigValue{Name: name, Visible: true}
	}
	for _, name := range d.undefinedDependents() {
		v.outcome.AddError(name, name+" is referred in the dependents, but not defined.")
		v.outcome[name].Visible = false
	}
	roots := d.roots()
	for _, k := range roots {
		v.walk(k, v.parse)
	}
	for _, k := range roots {
		v.walk(k, v.recommend)
	}
	return v.outcome
}

// List returns the values of a validation against the definition in the order in which Kafka Connect lists them: that of
// a hash map of Java. Values of other keys have their place in it too.
func (d *ConfigDef) List(values ConfigValues) []*ConfigValue {
	if d == nil {
		d = &ConfigDef{}
	}
	names := make([]string, 0, len(values))
	for i := range d.keys {
		names = append(names, d.keys[i].Name)
	}
	names = append(names, d.undefinedDependents()...)
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	var extra []string
	for name := range values {
		if !known[name] {
			extra = append(extra, name)
		}
	}
	slices.Sort(extra)
	list := make([]*ConfigValue, 0, len(values))
	for _, name := range javaHashOrder(append(names, extra...)) {
		if value := values[name]; value != nil {
			list = append(list, value)
		}
	}
	return list
}

// validation is one run of [ConfigDef.Validate].
type validation struct {
	def     *ConfigDef
	given   map[string]any
	parsed  map[string]any
	outcome ConfigValues
	path    []string // of keys from a root to the one that is visited
}

// walk visits a key and then its dependents, depth first; a key with two parents is visited twice, as in Connect. It
// stops where a key depends on itself.
func (v *validation) walk(k *ConfigKey, visit func(*ConfigKey)) {
	if slices.Contains(v.path, k.Name) {
		return
	}
	visit(k)
	v.path = append(v.path, k.Name)
	for _, name := range k.Dependents {
		if dependent := v.def.find(name); dependent != nil {
			v.walk(dependent, visit)
		}
	}
	v.path = v.path[:len(v.path)-1]
}

func (v *validation) parse(k *ConfigKey) {
	outcome := v.outcome[k.Name]
	fail := func(err error) {
		if err != nil {
			outcome.Errors = append(outcome.Errors, err.Error())
		}
	}
	var value any
	if given, ok := v.given[k.Name]; ok {
		var err error
		value, err = k.Type.parse(k.Name, given, v.def.classes)
		fail(err)
	} else if k.Required() {
		fail(missing(k.Name))
	} else {
		value = k.Default
	}
	if k.Validator != nil {
		fail(k.Validator.Validate(k.Name, value))
	}
	outcome.Value = value
	v.parsed[k.Name] = value
}

func (v *validation) recommend(k *ConfigKey) {
	if k.Recommender == nil {
		return
	}
	outcome := v.outcome[k.Name]
	recommended, err := k.Recommender.ValidValues(k.Name, v.parsed)
	if err != nil {
		outcome.Errors = append(outcome.Errors, err.Error())
		return
	}
	if before := outcome.Recommended; len(before) > 0 { // another parent's turn: only what both recommend
		recommended = slices.DeleteFunc(recommended, func(r any) bool {
			return !slices.ContainsFunc(before, func(b any) bool { return EqualValues(b, r) })
		})
	}
	outcome.Recommended = recommended
	outcome.Visible = k.Recommender.Visible(k.Name, v.parsed)
}
