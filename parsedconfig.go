package connect

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// ParsedConfig is a configuration that was parsed and validated by a [ConfigDef]. Its getters return a key's value,
// the default where the user gave none. They panic if the definition does not have the key, or has it with another
// type: that is a mistake in the program and shows in its first test. Where the value is null they return the zero
// value; [ParsedConfig.Has] tells. It is safe for concurrent use.
type ParsedConfig struct {
	def    *ConfigDef
	given  map[string]any
	values map[string]any

	mu   sync.Mutex
	used map[string]bool // the given keys that were read
}

// Parse parses and validates a configuration. The first problem, in the order of definition, is returned as a
// *[ConfigError]; [ConfigDef.Validate] reports all. Unknown keys are kept, see [ParsedConfig.Unused].
func (d *ConfigDef) Parse(cfg Config) (*ParsedConfig, error) { return d.ParseValues(cfg.values()) }

// ParseValues is [ConfigDef.Parse] for values that may be typed already; nil is an explicit null, which is not the same
// as a key that is absent: it replaces the default.
func (d *ConfigDef) ParseValues(given map[string]any) (*ParsedConfig, error) {
	if d == nil {
		d = &ConfigDef{}
	}
	if undefined := d.undefinedDependents(); len(undefined) > 0 {
		return nil, ConfigErrorf("", "Some configurations in are referred in the dependents, but not defined: %s", strings.Join(undefined, ","))
	}
	p := &ParsedConfig{def: d, given: maps.Clone(given), values: make(map[string]any, len(d.keys)), used: make(map[string]bool)}
	for i := range d.keys {
		k := &d.keys[i]
		value, isSet := given[k.Name]
		value, err := d.parseValue(k, value, isSet)
		if err != nil {
			return nil, err
		}
		p.values[k.Name] = value
	}
	return p, nil
}

func (d *ConfigDef) parseValue(k *ConfigKey, value any, isSet bool) (any, error) {
	if isSet {
		var err error
		if value, err = k.Type.parse(k.Name, value, d.classes); err != nil {
			return nil, err
		}
	} else if k.Required() {
		return nil, missing(k.Name)
	} else {
		value = k.Default
	}
	if k.Validator == nil {
		return value, nil
	}
	if list, ok := k.Validator.(*validList); ok {
		value = list.dedupe(value)
	}
	return value, k.Validator.Validate(k.Name, value)
}

func (c Config) values() map[string]any {
	values := make(map[string]any, len(c))
	for key, value := range c {
		values[key] = value
	}
	return values
}

// Def returns the definition that the configuration was parsed by.
func (p *ParsedConfig) Def() *ConfigDef { return p.def }

// Bool returns the value of a key of type BOOLEAN.
func (p *ParsedConfig) Bool(key string) bool { return get[bool](p, key) }

// String returns the value of a key of type STRING or CLASS.
func (p *ParsedConfig) String(key string) string { return get[string](p, key) }

// Int returns the value of a key of type INT or SHORT.
func (p *ParsedConfig) Int(key string) int {
	switch n := p.read(key).(type) {
	case int16:
		return int(n)
	case int32:
		return int(n)
	case nil:
		return 0
	default:
		panic(p.wrongType(key, n, "int"))
	}
}

// Long returns the value of a key of type LONG, INT or SHORT.
func (p *ParsedConfig) Long(key string) int64 {
	if n, ok := p.read(key).(int64); ok {
		return n
	}
	return int64(p.Int(key))
}

// Double returns the value of a key of type DOUBLE.
func (p *ParsedConfig) Double(key string) float64 { return get[float64](p, key) }

// Duration returns the value of a key of type LONG or INT that counts milliseconds.
func (p *ParsedConfig) Duration(key string) time.Duration {
	return time.Duration(p.Long(key)) * time.Millisecond
}

// List returns a copy of the value of a key of type LIST. It is nil where the value is null, and else not.
func (p *ParsedConfig) List(key string) []string {
	value := p.read(key)
	items, ok := configItems(value)
	if !ok && value != nil {
		panic(p.wrongType(key, value, "[]string"))
	}
	if value == nil {
		return nil
	}
	texts := make([]string, len(items))
	for i := range items {
		texts[i] = configValueText(items[i])
	}
	return texts
}

// Password returns the value of a key of type PASSWORD.
func (p *ParsedConfig) Password(key string) Password { return get[Password](p, key) }

// Has reports whether the key is defined and its value is not null.
func (p *ParsedConfig) Has(key string) bool { return p.values[key] != nil }

// Value returns the value of any key, or a *[ConfigError] if it is not defined.
func (p *ParsedConfig) Value(key string) (any, error) {
	value, ok := p.values[key]
	if !ok {
		return nil, ConfigErrorf(key, "Unknown configuration '%s'", key)
	}
	p.use(key)
	return value, nil
}

// Values returns all values by key. Secrets stay hidden in their [Password].
func (p *ParsedConfig) Values() map[string]any { return maps.Clone(p.values) }

// Given returns what the user gave, as text and with secrets in the clear. Nulls are left out.
func (p *ParsedConfig) Given() Config { return configText(p.given) }

// Text returns all values as text that parses to the same values. Secrets are in the clear, nulls are left out.
func (p *ParsedConfig) Text() Config { return configText(p.values) }

// GivenWithPrefix returns what the user gave under keys that begin with prefix, without it, like [ParsedConfig.Given].
// The keys count as used.
func (p *ParsedConfig) GivenWithPrefix(prefix string) Config {
	found := make(map[string]any)
	for key, value := range p.given {
		if rest, ok := strings.CutPrefix(key, prefix); ok && rest != "" {
			found[rest] = value
			p.use(key)
		}
	}
	return configText(found)
}

// WithPrefixOverride returns the values, with those that the user gave under prefix in the place of those that he gave
// without it. It fails with a *[ConfigError] if one of them is not valid.
func (p *ParsedConfig) WithPrefixOverride(prefix string) (*ParsedConfig, error) {
	merged := &ParsedConfig{def: p.def, given: maps.Clone(p.given), values: maps.Clone(p.values), used: make(map[string]bool)}
	return merged, p.override(merged, prefix)
}

// WithPrefixAllOrNothing returns the values as they are if the user gave no key under prefix. Otherwise it returns
// those that he gave under it, and null for every other key.
func (p *ParsedConfig) WithPrefixAllOrNothing(prefix string) (*ParsedConfig, error) {
	merged := &ParsedConfig{def: p.def, given: make(map[string]any), values: make(map[string]any), used: make(map[string]bool)}
	for key := range p.values {
		merged.values[key] = nil
	}
	for key := range p.given {
		if strings.HasPrefix(key, prefix) && len(key) > len(prefix) {
			return merged, p.override(merged, prefix)
		}
	}
	return p, nil
}

// override parses what was given under prefix into another configuration.
func (p *ParsedConfig) override(into *ParsedConfig, prefix string) error {
	for i := range p.def.keys {
		k := &p.def.keys[i]
		given, ok := p.given[prefix+k.Name]
		if !ok {
			continue
		}
		p.use(prefix + k.Name)
		value, err := p.def.parseValue(k, given, true)
		if err != nil {
			return err
		}
		into.given[k.Name], into.values[k.Name] = given, value
	}
	return nil
}

// Unused returns the keys that the user gave and nobody read, sorted: most often they are misspelt.
func (p *ParsedConfig) Unused() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var unused []string
	for key := range p.given {
		if !p.used[key] {
			unused = append(unused, key)
		}
	}
	slices.Sort(unused)
	return unused
}

// LogValue returns all values as a group, sorted, with secrets hidden.
func (p *ParsedConfig) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, len(p.values))
	for _, key := range slices.Sorted(maps.Keys(p.values)) {
		attrs = append(attrs, slog.Any(key, p.values[key]))
	}
	return slog.GroupValue(attrs...)
}

// Format writes all values, sorted and with secrets hidden, whatever the verb.
func (p *ParsedConfig) Format(s fmt.State, _ rune) {
	_, _ = s.Write([]byte("{"))
	for i, key := range slices.Sorted(maps.Keys(p.values)) {
		if i > 0 {
			_, _ = s.Write([]byte(" "))
		}
		_, _ = fmt.Fprintf(s, "%s=%s", key, configValueText(p.values[key]))
	}
	_, _ = s.Write([]byte("}"))
}

func (p *ParsedConfig) use(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[key] = true
}

func (p *ParsedConfig) read(key string) any {
	value, err := p.Value(key)
	if err != nil {
		panic("connect: " + err.Error())
	}
	return value
}

func (p *ParsedConfig) wrongType(key string, value any, want string) string {
	return fmt.Sprintf("connect: configuration %s is of type %v, not for %s", key, p.def.keys[p.def.index[key]].Type, want)
}

func get[T any](p *ParsedConfig, key string) T {
	value := p.read(key)
	v, ok := value.(T)
	if !ok && value != nil {
		panic(p.wrongType(key, value, fmt.Sprintf("%T", v)))
	}
	return v
}

// configText returns values as the text that a user would write.
func configText(values map[string]any) Config {
	cfg := make(Config, len(values))
	for key, value := range values {
		if secret, ok := value.(Password); ok {
			cfg[key] = secret.Reveal()
			continue
		}
		if text, ok := ConfigList.Format(value); ok {
			cfg[key] = text
		}
	}
	return cfg
}
