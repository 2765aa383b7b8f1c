package connect

import (
	"maps"
	"slices"
	"sort"
	"strings"
)

// ConfigDef defines the keys of a configuration: their types, defaults and valid values, and what documentation, the
// REST API and forms show of them. It does not change once it is made, and is safe for concurrent use. The nil and the
// zero ConfigDef define nothing.
type ConfigDef struct {
	keys    []ConfigKey
	index   map[string]int // of a name in keys
	groups  []string       // in the order of their first key
	classes func(name string) (class string, ok bool)
}

// NewConfigDef returns a definition of the keys, in that order. It fails with a *[ConfigError] if a key has no name or
// type, is there twice, or has a default that its type or validator refuses.
func NewConfigDef(keys ...ConfigKey) (*ConfigDef, error) {
	return (*ConfigDef)(nil).With(keys...)
}

// MustConfigDef is [NewConfigDef] for keys that are known to be right, such as those of a plugin. It panics otherwise.
func MustConfigDef(keys ...ConfigKey) *ConfigDef {
	d, err := NewConfigDef(keys...)
	if err != nil {
		panic("connect.MustConfigDef: " + err.Error())
	}
	return d
}

// With returns a definition of d's keys and these. It fails as [NewConfigDef] does.
func (d *ConfigDef) With(keys ...ConfigKey) (*ConfigDef, error) {
	c := d.clone(len(keys))
	for _, k := range keys {
		if err := c.add(k); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Embed returns a definition of d's keys and those of child with a prefix: the definition of a plugin as part of a
// larger configuration. Child's keys are sorted as documentation is; they get the orders from startOrder on and stand
// in the group, or in "group: child's group". Child's validators and recommenders see names without the prefix.
func (d *ConfigDef) Embed(prefix, group string, startOrder int, child *ConfigDef) (*ConfigDef, error) {
	c := d.clone(child.Len())
	for i, k := range child.Sorted() {
		k.Name = prefix + k.Name
		if k.Group != "" {
			k.Group = group + ": " + k.Group
		} else {
			k.Group = group
		}
		k.Order = startOrder + i
		if k.Validator != nil {
			k.Validator = unprefixedValidator{prefix, k.Validator}
		}
		if k.Recommender != nil {
			k.Recommender = unprefixedRecommender{prefix, k.Recommender}
		}
		for i := range k.Dependents {
			k.Dependents[i] = prefix + k.Dependents[i]
		}
		if err := c.add(k); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Replace returns a definition of d's keys in which key takes the place of the one with its name, or is the last if
// there is none. It fails as [NewConfigDef] does.
func (d *ConfigDef) Replace(key ConfigKey) (*ConfigDef, error) {
	c := d.clone(1)
	i, ok := c.index[key.Name]
	if !ok {
		return c, c.add(key)
	}
	key, err := key.complete()
	c.keys[i] = key
	c.addGroup(key.Group)
	return c, err
}

// WithClasses returns the same definition, in which values of type CLASS are names that find knows; the parsed value is
// the class that it returns. Without it any text that is not empty is taken for a class.
func (d *ConfigDef) WithClasses(find func(name string) (class string, ok bool)) *ConfigDef {
	c := d.clone(0)
	c.classes = find
	return c
}

// Len returns the number of keys.
func (d *ConfigDef) Len() int {
	if d == nil {
		return 0
	}
	return len(d.keys)
}

// Keys returns the keys in the order of their definition, with what was left out filled in and defaults parsed.
func (d *ConfigDef) Keys() []ConfigKey {
	if d == nil {
		return nil
	}
	keys := slices.Clone(d.keys)
	for i := range keys {
		keys[i].Dependents = slices.Clone(keys[i].Dependents)
	}
	return keys
}

// Key returns the key of that name.
func (d *ConfigDef) Key(name string) (ConfigKey, bool) {
	k := d.find(name)
	if k == nil {
		return ConfigKey{}, false
	}
	return *k, true
}

// Groups returns the groups in the order of their first keys.
func (d *ConfigDef) Groups() []string {
	if d == nil {
		return nil
	}
	return slices.Clone(d.groups)
}

// Sorted returns the keys in the order of documentation: by group, order in the group, required ones first, importance,
// name.
func (d *ConfigDef) Sorted() []ConfigKey {
	keys := d.Keys()
	compare := func(a, b *ConfigKey) int {
		if c := slices.Index(d.groups, a.Group) - slices.Index(d.groups, b.Group); c != 0 {
			return c
		}
		switch {
		case a.Order != b.Order:
			return a.Order - b.Order
		case a.Required() && !b.Required():
			return -1
		case b.Required() && !a.Required():
			return 1
		case a.Importance != b.Importance:
			return int(a.Importance) - int(b.Importance)
		}
		return strings.Compare(a.Name, b.Name)
	}
	sort.SliceStable(keys, func(i, j int) bool { return compare(&keys[i], &keys[j]) < 0 })
	return keys
}

func (d *ConfigDef) clone(more int) *ConfigDef {
	if d == nil {
		d = &ConfigDef{}
	}
	c := &ConfigDef{
		keys:    append(make([]ConfigKey, 0, len(d.keys)+more), d.keys...),
		index:   make(map[string]int, len(d.keys)+more),
		groups:  slices.Clone(d.groups),
		classes: d.classes,
	}
	maps.Copy(c.index, d.index)
	return c
}

func (d *ConfigDef) add(k ConfigKey) error {
	k, err := k.complete()
	if err != nil {
		return err
	}
	if _, ok := d.index[k.Name]; ok {
		return ConfigErrorf(k.Name, "Configuration %s is defined twice.", k.Name)
	}
	d.index[k.Name] = len(d.keys)
	d.keys = append(d.keys, k)
	d.addGroup(k.Group)
	return nil
}

func (d *ConfigDef) addGroup(group string) {
	if n := len(d.groups); group == "" || n > 0 && d.groups[n-1] == group { // most often so
		return
	}
	if !slices.Contains(d.groups, group) {
		d.groups = append(d.groups, group)
	}
}

func (d *ConfigDef) find(name string) *ConfigKey {
	if d == nil {
		return nil
	}
	if i, ok := d.index[name]; ok {
		return &d.keys[i]
	}
	return nil
}

// roots returns the keys that are nobody's dependents.
func (d *ConfigDef) roots() []*ConfigKey {
	if d == nil {
		return nil
	}
	dependents := make(map[string]bool)
	for i := range d.keys {
		for _, name := range d.keys[i].Dependents {
			dependents[name] = true
		}
	}
	var roots []*ConfigKey
	for i := range d.keys {
		if !dependents[d.keys[i].Name] {
			roots = append(roots, &d.keys[i])
		}
	}
	return roots
}

// undefinedDependents returns the names of dependents that are no keys, in the order of Java's hash set.
func (d *ConfigDef) undefinedDependents() []string {
	if d == nil {
		return nil
	}
	var names []string
	for i := range d.keys {
		for _, name := range d.keys[i].Dependents {
			if d.find(name) == nil && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return javaHashOrder(names)
}

func missing(name string) error {
	return ConfigErrorf(name, "Missing required configuration \"%s\" which has no default value.", name)
}

// unprefixedValidator is the validator of an embedded key.
type unprefixedValidator struct {
	prefix string
	base   ConfigValidator
}

func (v unprefixedValidator) String() string { return v.base.String() }

func (v unprefixedValidator) Validate(key string, value any) error {
	return v.base.Validate(strings.TrimPrefix(key, v.prefix), value)
}

// unprefixedRecommender is the recommender of an embedded key.
type unprefixedRecommender struct {
	prefix string
	base   Recommender
}

func (r unprefixedRecommender) ValidValues(key string, values map[string]any) ([]any, error) {
	return r.base.ValidValues(strings.TrimPrefix(key, r.prefix), r.unprefixed(values))
}

func (r unprefixedRecommender) Visible(key string, values map[string]any) bool {
	return r.base.Visible(strings.TrimPrefix(key, r.prefix), r.unprefixed(values))
}

func (r unprefixedRecommender) unprefixed(values map[string]any) map[string]any {
	own := make(map[string]any)
	for name, value := range values {
		if rest, ok := strings.CutPrefix(name, r.prefix); ok {
			own[rest] = value
		}
	}
	return own
}
