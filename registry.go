package connect

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Kind is a kind of plugin.
type Kind int8

// The kinds of plugins.
const (
	KindSource Kind = iota + 1
	KindSink
	KindConverter
	KindHeaderConverter
	KindTransformation
	KindPredicate
	KindConfigProvider
	KindOverridePolicy
)

var kindNames = [...]string{"", "source", "sink", "converter", "header_converter", "transformation", "predicate", "configprovider", "connector_client_config_override_policy"}

// String returns the name of the kind as the REST API spells it.
func (k Kind) String() string { return kindNames[k] }

// PluginInfo is what every plugin's descriptor has.
type PluginInfo struct {
	// Class is the plugin's name, as connector.class and the like give it. For a plugin that takes the place of a
	// Java class it is that class's full name.
	Class string
	// Aliases are further names. Two are always there: the last part of Class (behind "." or "$"), and that without the suffix of its
	// kind (Connector, Converter, …). An alias that two plugins of one kind share stands for neither.
	Aliases []string
	// Version is the plugin's version.
	Version string
	// Config defines the plugin's own configuration, without a prefix; nil is an empty definition.
	Config *ConfigDef
	// Hidden keeps the plugin out of listings. It can be used all the same.
	Hidden bool
}

// Plugin is a descriptor of a plugin: [SourcePlugin], [SinkPlugin], [ConverterPlugin], [HeaderConverterPlugin],
// [TransformationPlugin], [PredicatePlugin], [ConfigProviderPlugin] or [OverridePolicyPlugin].
type Plugin interface {
	plugin() (Kind, *PluginInfo, bool)
}

// SourcePlugin describes a source connector.
type SourcePlugin struct {
	PluginInfo
	New func() SourceConnector
}

// SinkPlugin describes a sink connector.
type SinkPlugin struct {
	PluginInfo
	New func() SinkConnector
}

// ConverterPlugin describes a converter. New gets its configuration without the prefix key.converter. or
// value.converter., and refuses a bad one with a *[ConfigError].
type ConverterPlugin struct {
	PluginInfo
	New func(cfg Config, role Role) (Converter, error)
}

// HeaderConverterPlugin describes a header converter. New gets its configuration without the prefix header.converter.
type HeaderConverterPlugin struct {
	PluginInfo
	New func(cfg Config) (HeaderConverter, error)
}

// TransformationPlugin describes a transformation. New gets its configuration without the prefix transforms.ALIAS.,
// and refuses a bad one with a *[ConfigError].
type TransformationPlugin struct {
	PluginInfo
	New func(cfg Config) (Transformation, error)
}

// PredicatePlugin describes a predicate. New gets its configuration without the prefix predicates.ALIAS.
type PredicatePlugin struct {
	PluginInfo
	New func(cfg Config) (Predicate, error)
}

// ConfigProviderPlugin describes a config provider. New gets its configuration without the prefix
// config.providers.ALIAS.param.
type ConfigProviderPlugin struct {
	PluginInfo
	New func(cfg Config) (ConfigProvider, error)
}

// OverridePolicyPlugin describes a policy for client overrides. New gets the whole configuration of the worker.
type OverridePolicyPlugin struct {
	PluginInfo
	New func(cfg Config) (OverridePolicy, error)
}

func (p SourcePlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindSource, &p.PluginInfo, p.New != nil
}
func (p SinkPlugin) plugin() (Kind, *PluginInfo, bool) { return KindSink, &p.PluginInfo, p.New != nil }
func (p ConverterPlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindConverter, &p.PluginInfo, p.New != nil
}
func (p HeaderConverterPlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindHeaderConverter, &p.PluginInfo, p.New != nil
}
func (p TransformationPlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindTransformation, &p.PluginInfo, p.New != nil
}
func (p PredicatePlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindPredicate, &p.PluginInfo, p.New != nil
}
func (p ConfigProviderPlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindConfigProvider, &p.PluginInfo, p.New != nil
}
func (p OverridePolicyPlugin) plugin() (Kind, *PluginInfo, bool) {
	return KindOverridePolicy, &p.PluginInfo, p.New != nil
}

// Registry holds the plugins that configurations can name. Fill it before it is given to a Runtime; after that it is
// read only, and safe for concurrent use. The zero Registry is empty and ready for use.
type Registry struct {
	byKind map[Kind][]entry
}

type entry struct {
	info   *PluginInfo
	names  []string // aliases, without the class
	plugin Plugin
}

// Add adds plugins. It fails if one has no class or no constructor, or if its class is there already with that version.
// Of a class that is there with several versions the last added counts where none is asked for.
func (r *Registry) Add(plugins ...Plugin) error {
	for _, p := range plugins {
		kind, info, ok := p.plugin()
		switch {
		case info.Class == "":
			return fmt.Errorf("add %v plugin: it has no class", kind)
		case !ok:
			return fmt.Errorf("add %v plugin %s: it has no constructor", kind, info.Class)
		}
		for _, e := range r.byKind[kind] {
			if e.info.Class == info.Class && e.info.Version == info.Version {
				return fmt.Errorf("add %v plugin %s version %q: %w", kind, info.Class, info.Version, ErrAlreadyExists)
			}
		}
		if r.byKind == nil {
			r.byKind = make(map[Kind][]entry)
		}
		r.byKind[kind] = append(r.byKind[kind], entry{info, aliases(kind, info), p})
	}
	return nil
}

// MustAdd is [Registry.Add] for plugins that are known to be right. It panics otherwise.
func (r *Registry) MustAdd(plugins ...Plugin) *Registry {
	if err := r.Add(plugins...); err != nil {
		panic(err)
	}
	return r
}

// aliases returns the names of a plugin besides its class.
func aliases(kind Kind, info *PluginInfo) []string {
	names := slices.Clone(info.Aliases)
	simple := info.Class[strings.LastIndexAny(info.Class, ".$")+1:]
	names = append(names, simple)
	var suffix string
	switch kind {
	case KindSource, KindSink:
		suffix = "Connector"
	case KindConverter:
		suffix = "Converter"
	case KindHeaderConverter:
		suffix = "HeaderConverter"
	case KindTransformation:
		suffix = "Transformation"
	case KindPredicate:
		suffix = "Predicate"
	case KindConfigProvider:
		suffix = "ConfigProvider"
	case KindOverridePolicy:
		suffix = "ConnectorClientConfigOverridePolicy"
	}
	if pruned := strings.TrimSuffix(simple, suffix); pruned != "" && pruned != simple {
		names = append(names, pruned)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == info.Class })
}

// find returns the plugin of that kind with that class or alias; of several versions the last added.
func (r *Registry) find(kind Kind, name string) (Plugin, bool) {
	if r == nil {
		return nil, false
	}
	class := name
	var found Plugin
	for _, e := range r.byKind[kind] {
		if e.info.Class == name {
			class = name
			break
		}
		if slices.Contains(e.names, name) {
			if class != name && class != e.info.Class {
				return nil, false // ambiguous
			}
			class = e.info.Class
		}
	}
	for _, e := range r.byKind[kind] {
		if e.info.Class == class {
			found = e.plugin
		}
	}
	return found, found != nil
}

func lookup[P Plugin](r *Registry, kind Kind, name string) (P, bool) {
	p, ok := r.find(kind, name)
	if !ok {
		var zero P
		return zero, false
	}
	return p.(P), true
}

// Lookup returns the plugin of that kind with that class or alias, in one of the versions that accept says yes to; of
// several the last added. Its dynamic type is the descriptor of the kind, such as [SourcePlugin].
func (r *Registry) Lookup(kind Kind, name string, accept func(version string) bool) (Plugin, bool) {
	p, ok := r.find(kind, name)
	if !ok {
		return nil, false
	}
	_, info, _ := p.plugin()
	class := info.Class
	var found Plugin
	for _, e := range r.byKind[kind] {
		if e.info.Class == class && accept(e.info.Version) {
			found = e.plugin
		}
	}
	return found, found != nil
}

// Source returns the source connector with that class or alias.
func (r *Registry) Source(name string) (SourcePlugin, bool) {
	return lookup[SourcePlugin](r, KindSource, name)
}

// Sink returns the sink connector with that class or alias.
func (r *Registry) Sink(name string) (SinkPlugin, bool) { return lookup[SinkPlugin](r, KindSink, name) }

// Converter returns the converter with that class or alias.
func (r *Registry) Converter(name string) (ConverterPlugin, bool) {
	return lookup[ConverterPlugin](r, KindConverter, name)
}

// HeaderConverter returns the header converter with that class or alias.
func (r *Registry) HeaderConverter(name string) (HeaderConverterPlugin, bool) {
	return lookup[HeaderConverterPlugin](r, KindHeaderConverter, name)
}

// Transformation returns the transformation with that class or alias.
func (r *Registry) Transformation(name string) (TransformationPlugin, bool) {
	return lookup[TransformationPlugin](r, KindTransformation, name)
}

// Predicate returns the predicate with that class or alias.
func (r *Registry) Predicate(name string) (PredicatePlugin, bool) {
	return lookup[PredicatePlugin](r, KindPredicate, name)
}

// ConfigProvider returns the config provider with that class or alias.
func (r *Registry) ConfigProvider(name string) (ConfigProviderPlugin, bool) {
	return lookup[ConfigProviderPlugin](r, KindConfigProvider, name)
}

// OverridePolicy returns the override policy with that class or alias.
func (r *Registry) OverridePolicy(name string) (OverridePolicyPlugin, bool) {
	return lookup[OverridePolicyPlugin](r, KindOverridePolicy, name)
}

// List returns the plugins of a kind, the hidden ones included, sorted by class.
func (r *Registry) List(kind Kind) []PluginInfo {
	if r == nil {
		return nil
	}
	var list []PluginInfo
	for _, e := range r.byKind[kind] {
		list = append(list, *e.info)
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Class < list[j].Class })
	return list
}

// Merge adds the plugins of another registry; one with the same class and version takes the place of the one that is
// there.
func (r *Registry) Merge(other *Registry) {
	for kind, entries := range other.byKind {
		for _, e := range entries {
			if r.byKind == nil {
				r.byKind = make(map[Kind][]entry)
			}
			r.byKind[kind] = slices.DeleteFunc(r.byKind[kind], func(o entry) bool {
				return o.info.Class == e.info.Class && o.info.Version == e.info.Version
			})
			r.byKind[kind] = append(r.byKind[kind], e)
		}
	}
}

// Names returns the aliases of the plugins with that class: all names by which a configuration can call them besides it.
func (r *Registry) Names(kind Kind, class string) []string {
	var names []string
	for _, e := range r.byKind[kind] {
		if e.info.Class == class {
			names = append(names, e.names...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
