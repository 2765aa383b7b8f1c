package connconfig

import (
	"strings"

	"github.com/gokconnect/connect"
)

// stageKind is what transformations and predicates have in common: aliases with keys of their own.
type stageKind struct {
	base
	aliases, group string
	own            []connect.ConfigKey // keys that each has besides its plugin's
}

func transformations() stageKind {
	return stageKind{transformationBase, "transforms", "Transforms", []connect.ConfigKey{
		{
			Name: "predicate", Type: connect.ConfigString, Default: nil, Importance: connect.Medium,
			Documentation: "The alias of a predicate used to determine whether to apply this transformation.",
		},
		{
			Name: "negate", Type: connect.ConfigBoolean, Default: false, Importance: connect.Medium,
			Documentation: "Whether the configured predicate should be negated.",
		},
	}}
}

func predicates() stageKind { return stageKind{predicateBase, "predicates", "Predicates", nil} }

// addStages adds the keys of a configuration's transformations and predicates. If full, a stage whose class can't be
// used is an error; otherwise its own keys are left out.
func (p plugins) addStages(def *connect.ConfigDef, given map[string]any, full bool) (*connect.ConfigDef, error) {
	var keys []connect.ConfigKey
	for _, kind := range []stageKind{transformations(), predicates()} {
		aliases, err := aliasesOf(kind.aliases, given)
		if err != nil {
			return nil, err
		}
		for _, alias := range aliases {
			stage, err := p.stageKeys(kind, alias, given, full)
			if err != nil {
				return nil, err
			}
			keys = append(keys, stage...)
		}
	}
	return def.With(keys...)
}

// aliasesOf returns the aliases that a key lists, each once.
func aliasesOf(key string, given map[string]any) ([]string, error) {
	value, ok := given[key]
	if !ok || value == nil {
		return nil, nil
	}
	list := connect.MustConfigDef(connect.ConfigKey{Name: key, Type: connect.ConfigList})
	parsed, err := list.ParseValues(map[string]any{key: value})
	if err != nil {
		return nil, err
	}
	var aliases []string
	seen := make(map[string]bool)
	for _, alias := range parsed.List(key) {
		if !seen[alias] {
			seen[alias] = true
			aliases = append(aliases, alias)
		}
	}
	return aliases, nil
}

// stageKeys returns the keys of one transformation or predicate.
func (p plugins) stageKeys(kind stageKind, alias string, given map[string]any, full bool) ([]connect.ConfigKey, error) {
	prefix, group := kind.aliases+"."+alias+".", kind.group+": "+alias
	typeKey, version := prefix+"type", prefix+versionSuffix
	name, _ := given[typeKey].(string)
	want, ok := given[version].(string)
	if !ok {
		want = latest
	}
	lower := strings.ToLower(kind.name)
	keys := []connect.ConfigKey{
		{
			Name: typeKey, Type: connect.ConfigClass, Default: connect.Required, Importance: connect.High,
			Group: group, Order: 0, Width: connect.WidthLong, DisplayName: kind.name + " type for " + alias,
			Documentation: "Class for the '" + alias + "' " + lower + ".", Recommender: classes{p, kind.kind},
			Validator: connect.ConfigCheck("valid configs for "+alias+" "+lower, func(_ string, value any) error {
				if err := negatesNothing(kind, prefix, given); err != nil {
					return err
				}
				class, ok := value.(string)
				if !ok {
					return nil
				}
				_, err := p.stageDef(kind, class, want)
				return err
			}),
		},
		{
			Name: version, Type: connect.ConfigString, Default: p.version(kind.base, name), Importance: connect.High,
			Group: group, Order: 1, Width: connect.WidthLong, DisplayName: kind.name + " version for " + alias,
			Documentation: "Version of the '" + alias + "' " + lower + ".", Recommender: versionsOf{p, typeKey, false, []connect.Kind{kind.base.kind}},
			Validator: connect.ConfigCheck("a plugin version", func(_ string, value any) error {
				want, ok := value.(string)
				if !ok || given[typeKey] == nil {
					return nil
				}
				if _, err := parseVersionRange(want); err != nil {
					return &connect.ConfigError{Message: err.Error(), Err: err}
				}
				class, known := p.find(name)
				if !known || p.check(kind.base, class) != nil {
					return nil // the class's key says so
				}
				return p.checkVersion(class, want)
			}),
		},
	}
	own, err := p.namedStageDef(kind, typeKey, given[typeKey], want)
	if err != nil {
		if full {
			return nil, err
		}
		return keys, nil
	}
	embedded, err := (*connect.ConfigDef)(nil).Embed(prefix, group, len(keys), own)
	return append(keys, embedded.Keys()...), err
}

// negatesNothing returns an error if a transformation has negate but no predicate.
func negatesNothing(kind stageKind, prefix string, given map[string]any) error {
	_, negate := given[prefix+"negate"]
	_, predicate := given[prefix+"predicate"]
	if kind.base != transformationBase || !negate || predicate {
		return nil
	}
	return connect.ConfigErrorf(prefix+"negate", "Config '%snegate' was provided but there is no config '%spredicate' defining a predicate to be negated.", prefix, prefix)
}

// namedStageDef is stageDef for the class that a key names.
func (p plugins) namedStageDef(kind stageKind, typeKey string, name any, want string) (*connect.ConfigDef, error) {
	text, ok := name.(string)
	if !ok {
		return nil, connect.InvalidValue(typeKey, nil, "Not a "+kind.name)
	}
	class, ok := p.find(strings.TrimSpace(text))
	if !ok || strings.TrimSpace(text) == "" {
		return nil, connect.InvalidValue(typeKey, name, "Class "+text+" could not be found.")
	}
	return p.stageDef(kind, class, want)
}

// stageDef returns the definition of a stage's own keys.
func (p plugins) stageDef(kind stageKind, class, want string) (*connect.ConfigDef, error) {
	if err := p.check(kind.base, class); err != nil {
		return nil, err
	}
	if err := p.checkVersion(class, want); err != nil {
		return nil, err
	}
	def, err := connect.NewConfigDef(kind.own...)
	if err != nil {
		return nil, err
	}
	r, err := requirement(want)
	if err != nil {
		return nil, &connect.ConfigError{Message: err.Error(), Err: err}
	}
	info, _ := p.info(kind.kind, class, r)
	for _, key := range info.Config.Keys() {
		if _, implicit := def.Key(key.Name); implicit {
			continue
		}
		if def, err = def.With(key); err != nil {
			return nil, err
		}
	}
	return def, nil
}
