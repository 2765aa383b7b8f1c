package connconfig

import (
	"slices"
	"sort"
	"strings"

	"github.com/gokconnect/connect"
)

// plugins answers what Java would ask its class loaders. A nil registry knows every class and no definition.
type plugins struct{ reg *connect.Registry }

// kinds are those that can be named by a key of type CLASS.
var kinds = [...]connect.Kind{
	connect.KindSource, connect.KindSink, connect.KindConverter, connect.KindHeaderConverter, connect.KindTransformation, connect.KindPredicate,
	connect.KindConfigProvider, connect.KindOverridePolicy,
}

// base is a kind of plugin as Java declares it: an interface.
type base struct {
	kind        connect.Kind
	name, class string
}

var (
	converterBase       = base{connect.KindConverter, "Converter", "org.apache.kafka.connect.storage.Converter"}
	headerConverterBase = base{connect.KindHeaderConverter, "HeaderConverter", "org.apache.kafka.connect.storage.HeaderConverter"}
	transformationBase  = base{connect.KindTransformation, "Transformation", "org.apache.kafka.connect.transforms.Transformation"}
	predicateBase       = base{connect.KindPredicate, "Predicate", "org.apache.kafka.connect.transforms.predicates.Predicate"}
	bases               = [...]base{converterBase, headerConverterBase, transformationBase, predicateBase}
)

// numberConverter is Java's abstract class below the converters of numbers.
const numberConverter = "org.apache.kafka.connect.converters.NumberConverter"

// Find returns the descriptor P of a plugin by its class or alias and the version that is required, if any is. key is the
// key that names it, for the error.
func Find[P connect.Plugin](reg *connect.Registry, kind connect.Kind, key string, named Plugin) (none P, err error) {
	p, err := find(reg, kind, key, named)
	if err != nil {
		return none, err
	}
	return p.(P), nil
}

// find is Find for any kind: the part that is the same for all.
func find(reg *connect.Registry, kind connect.Kind, key string, named Plugin) (connect.Plugin, error) {
	want, err := requirement(named.Version)
	if err != nil {
		return nil, connect.InvalidValue(versionKeyOf(key), named.Version, err.Error())
	}
	if p, ok := reg.Lookup(kind, named.Class, want.contains); ok {
		return p, nil
	}
	if class, ok := (plugins{reg}).lookup(kind, named.Class); ok {
		return nil, &connect.ConfigError{Key: versionKeyOf(key), Message: versionMismatch(class, want, plugins{reg}.versions(class)).Error()}
	}
	return nil, connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Class %s could not be found.", named.Class, key, named.Class)
}

// versionKeyOf returns the key for the version of what another key names.
func versionKeyOf(key string) string {
	if key == classKey {
		return versionKey
	}
	return strings.TrimSuffix(key, ".type") + "." + versionSuffix
}

// info returns the descriptor of a class of a kind; of several versions the last that is in the range.
func (p plugins) info(kind connect.Kind, class string, want versionRange) (connect.PluginInfo, bool) {
	var found connect.PluginInfo
	var ok bool
	for _, info := range p.reg.List(kind) {
		if info.Class == class && want.contains(info.Version) {
			found, ok = info, true
		}
	}
	return found, ok
}

// lookup returns the class of that kind that has the name or alias.
func (p plugins) lookup(kind connect.Kind, name string) (string, bool) {
	switch kind {
	case connect.KindSource:
		d, ok := p.reg.Source(name)
		return d.Class, ok
	case connect.KindSink:
		d, ok := p.reg.Sink(name)
		return d.Class, ok
	case connect.KindConverter:
		d, ok := p.reg.Converter(name)
		return d.Class, ok
	case connect.KindHeaderConverter:
		d, ok := p.reg.HeaderConverter(name)
		return d.Class, ok
	case connect.KindTransformation:
		d, ok := p.reg.Transformation(name)
		return d.Class, ok
	case connect.KindPredicate:
		d, ok := p.reg.Predicate(name)
		return d.Class, ok
	case connect.KindConfigProvider:
		d, ok := p.reg.ConfigProvider(name)
		return d.Class, ok
	case connect.KindOverridePolicy:
		d, ok := p.reg.OverridePolicy(name)
		return d.Class, ok
	}
	return "", false
}

// find returns the class that has the name or alias, of whatever kind it is. An alias of two classes stands for neither.
func (p plugins) find(name string) (class string, ok bool) {
	if p.reg == nil || p.isAbstract(name) || isJavaClass(name) {
		return name, true
	}
	for _, kind := range kinds {
		found, here := p.lookup(kind, name)
		switch {
		case !here:
		case found == name:
			return found, true
		case ok && found != class:
			return "", false
		default:
			class, ok = found, true
		}
	}
	return class, ok
}

// isJavaClass reports whether the name is one of Java's own, which exists and is no plugin.
func isJavaClass(name string) bool {
	rest, ok := strings.CutPrefix(name, "java.lang.")
	return ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z'
}

// isConnectorClass reports whether the name is that of a class that connectors extend.
func isConnectorClass(name string) bool {
	return name == "org.apache.kafka.connect.source.SourceConnector" || name == "org.apache.kafka.connect.sink.SinkConnector"
}

// isAbstract reports whether the name is that of an interface or abstract class of plugins.
func (p plugins) isAbstract(name string) bool {
	return name == numberConverter || isConnectorClass(name) || slices.ContainsFunc(bases[:], func(b base) bool { return b.class == name }) || p.nested(name) != nil
}

// nested returns the classes that stand in a class, such as Cast$Key and Cast$Value in Cast.
func (p plugins) nested(outer string) []connect.PluginInfo {
	var found []connect.PluginInfo
	for _, kind := range kinds {
		for _, info := range p.reg.List(kind) {
			if rest, ok := strings.CutPrefix(info.Class, outer+"$"); ok && rest != "" {
				found = append(found, info)
			}
		}
	}
	return found
}

// check returns why a class can't be created as a plugin of a kind.
func (p plugins) check(b base, class string) error {
	if p.reg == nil {
		return nil
	}
	if _, ok := p.info(b.kind, class, nil); ok {
		return nil
	}
	var children []string
	for _, info := range p.nested(class) {
		if _, ok := p.info(b.kind, info.Class, nil); ok && !slices.Contains(children, info.Class) {
			children = append(children, info.Class)
		}
	}
	isNumber := class == numberConverter && (b == converterBase || b == headerConverterBase)
	if class != b.class && !isNumber && children == nil {
		what := "class"
		if slices.ContainsFunc(bases[:], func(b base) bool { return b.class == class }) {
			what = "interface"
		}
		return connect.ConfigErrorf("", "Class %s %s does not implement the %s interface", what, class, b.name)
	}
	message := "This class is abstract and cannot be created."
	if children != nil {
		message += " Did you mean " + strings.Join(children, ", ") + "?"
	}
	return &connect.ConfigError{Message: message}
}

// versions returns the versions of a class, once for each kind that it is of.
func (p plugins) versions(class string) []string {
	var versions []string
	for _, kind := range kinds {
		for _, info := range p.reg.List(kind) {
			if info.Class == class {
				versions = append(versions, info.Version)
			}
		}
	}
	return versions
}

// checkVersion returns why no plugin of the class has the wanted version. A requirement that can't be parsed is not its
// concern.
func (p plugins) checkVersion(class, want string) error {
	r, err := parseVersionRange(want)
	if err != nil || p.reg == nil {
		return nil
	}
	versions := p.versions(class)
	if slices.ContainsFunc(versions, r.contains) {
		return nil
	}
	return versionMismatch(class, r, versions)
}

// version returns the version of the plugin that a name stands for, whichever is wanted, or nil.
func (p plugins) version(b base, name string) any {
	class, ok := p.find(name)
	if !ok || p.reg == nil {
		return nil
	}
	info, ok := p.info(b.kind, class, nil)
	if !ok {
		return nil
	}
	return info.Version
}

// requirement is parseVersionRange, where no text is no requirement.
func requirement(want string) (versionRange, error) {
	if want == "" {
		return nil, nil
	}
	return parseVersionRange(want)
}

// classes recommends the classes of a kind.
type classes struct {
	plugins
	kind connect.Kind
}

func (c classes) ValidValues(string, map[string]any) ([]any, error) {
	var names []string
	for _, info := range c.reg.List(c.kind) { // sorted
		if !info.Hidden {
			names = append(names, info.Class)
		}
	}
	var values []any
	for _, name := range slices.Compact(names) {
		values = append(values, name)
	}
	return values, nil
}

func (c classes) Visible(string, map[string]any) bool { return true }

// versionsOf recommends the versions of the plugin that another key names.
type versionsOf struct {
	plugins
	key   string
	hide  bool // where the other key has no value
	kinds []connect.Kind
}

func (v versionsOf) ValidValues(_ string, values map[string]any) ([]any, error) {
	name, _ := values[v.key].(string)
	class, ok := v.find(name)
	if name == "" || !ok || !slices.ContainsFunc(v.kinds, func(k connect.Kind) bool { _, ok := v.info(k, class, nil); return ok }) {
		return nil, nil
	}
	versions := v.versions(class)
	sort.Slice(versions, func(i, j int) bool { return compareVersions(versions[i], versions[j]) < 0 })
	var list []any
	for _, version := range slices.Compact(versions) {
		list = append(list, version)
	}
	return list, nil
}

func (v versionsOf) Visible(_ string, values map[string]any) bool {
	return !v.hide || values[v.key] != nil
}

// ClassFinder returns the function for [connect.ConfigDef.WithClasses] that finds the plugins of a registry, of any kind,
// by class or alias. If the registry is nil it finds everything.
func ClassFinder(reg *connect.Registry) func(name string) (class string, ok bool) {
	return plugins{reg}.find
}
