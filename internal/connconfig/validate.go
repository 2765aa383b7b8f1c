package connconfig

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaerror"
	"github.com/gokconnect/connect/internal/javahash"
)

// Worker is what validation needs to know of the worker that answers for it.
type Worker struct {
	// KeyConverter, ValueConverter and HeaderConverter are what a connector uses that names none.
	KeyConverter, ValueConverter, HeaderConverter ConverterChoice
	// Policy decides on overrides of client properties; nil allows all.
	Policy connect.OverridePolicy
	// ClientDef returns the definition of the properties of a "producer", "consumer" or "admin", or nil.
	ClientDef func(client string) *connect.ConfigDef
	// GroupID is the worker's own group; "" in standalone mode, which has fewer rules.
	GroupID string
	// Keys is the order in which the keys of the configuration were given, if it is known: messages show it.
	Keys []string
	// ExactlyOnce says that exactly-once delivery is enabled for source connectors.
	ExactlyOnce bool
	// SourceDeadLetters says that source connectors have dead letters, unlike those of Kafka Connect.
	SourceDeadLetters bool
}

// ConverterChoice is a converter of a worker's configuration.
type ConverterChoice struct {
	Class   string // class or alias
	Version string // the required version, or "" for the latest
}

// RequestError says that a request was not valid as a whole, as against a configuration with errors.
type RequestError struct{ Message string }

func (e *RequestError) Error() string { return e.Message }

// Validate returns what the REST API answers to a request to validate a connector's configuration, whose placeholders
// are resolved already; nil is JSON's null. It makes an instance of the connector for the checks that the connector has
// itself, and calls its code on the caller's goroutine.
//
// Problems of the configuration stand in the result. An error is a *[RequestError] if there is no such connector, a
// *[connect.ConfigError] for a client property that can't be parsed, or comes from the connector or the policy.
func Validate(ctx context.Context, reg *connect.Registry, w Worker, cfg map[string]*string) (*Result, error) {
	name := cfg[classKey]
	if name == nil {
		return nil, &RequestError{"Connector config " + mapText(cfg, w.Keys) + " contains no connector type"}
	}
	v := &validation{plugins: plugins{reg}, worker: w, cfg: cfg, given: nullableValues(cfg), text: make(connect.Config, len(cfg))}
	for key, value := range cfg {
		if value != nil {
			v.text[key] = *value
		}
	}
	info, err := v.findConnector(*name)
	if err != nil {
		return nil, err
	}
	if mismatch, err := v.connectorVersion(info.Class); err != nil {
		return nil, err
	} else if mismatch != nil {
		return v.refuseVersion(info, mismatch), nil
	}
	return v.run(ctx, info)
}

// validation is one run of [Validate].
type validation struct {
	plugins
	worker Worker
	cfg    map[string]*string
	given  map[string]any
	text   connect.Config // without nulls
	kind   connect.Kind

	connector connect.Connector
}

// findConnector finds the connector and makes an instance.
func (v *validation) findConnector(name string) (connect.PluginInfo, error) {
	if source, ok := v.reg.Source(name); ok {
		v.kind, v.connector = connect.KindSource, source.New()
		return source.PluginInfo, nil
	}
	if sink, ok := v.reg.Sink(name); ok {
		v.kind, v.connector = connect.KindSink, sink.New()
		return sink.PluginInfo, nil
	}
	if isConnectorClass(name) {
		return connect.PluginInfo{}, &RequestError{instantiation}
	}
	var known []string
	for _, kind := range [...]connect.Kind{connect.KindSink, connect.KindSource} {
		for _, info := range v.reg.List(kind) {
			if info.Hidden {
				continue
			}
			known = append(known, fmt.Sprintf("PluginDesc{klass=class %s, name='%s', version='%s', encodedVersion=%s, type=%v, typeName='%v', location='classpath'}",
				info.Class, info.Class, info.Version, info.Version, kind, kind))
		}
	}
	return connect.PluginInfo{}, &RequestError{fmt.Sprintf(
		"Failed to find any class that implements Connector and which name matches %s, available connectors are: %s", name, strings.Join(known, ", "))}
}

// connectorVersion returns why the connector does not have the required version, if so.
func (v *validation) connectorVersion(class string) (mismatch, err error) {
	want, ok := v.text[versionKey]
	if !ok {
		return nil, nil
	}
	if _, err := parseVersionRange(want); err != nil {
		return nil, &RequestError{err.Error()}
	}
	return v.checkVersion(class, want), nil
}

// refuseVersion is the result for a version of the connector that is not there: only the common keys are validated.
func (v *validation) refuseVersion(info connect.PluginInfo, mismatch error) *Result {
	version := withVersion(info.Version)
	def := v.define(nil, func(k *connect.ConfigKey) {
		if k.Name == versionKey {
			v.recommend(k)
		}
		version(k)
	})
	values := def.ValidateValues(v.given)
	values.AddError(classKey, mismatch.Error())
	values.AddError(versionKey, mismatch.Error())
	v.addNulls(values)
	r := newResult(*v.cfg[classKey])
	r.add(def, def.List(values))
	return r
}

func (v *validation) run(ctx context.Context, info connect.PluginInfo) (*Result, error) {
	keys := sourceKeys()
	if v.kind == connect.KindSink {
		keys = sinkKeys()
	}
	def, err := v.enriched(keys, v.worker, v.given, v.kind, info.Class)
	if err != nil {
		return nil, err
	}
	values := def.ValidateValues(v.given)
	if v.kind == connect.KindSink {
		checkSink(v.given, values)
		v.checkGroup(values)
	} else {
		v.checkExactlyOnce(values)
		v.checkBoundary(values)
	}
	v.addNulls(values)
	converters := newResult("")
	for _, i := range [...]int{2, 0, 1} { // Kafka Connect lists the header's first
		c := converterKeys[i]
		v.addConverter(converters, values, c.base, c.key, c.role)
	}
	all, own, err := v.ownValues(ctx, info.Config, def, values)
	if err != nil {
		return nil, err
	}
	r := newResult(*v.cfg[classKey])
	r.add(all, own)
	for _, client := range [...]string{"producer", "consumer", "admin"} {
		if err := v.addOverrides(ctx, r, client, info.Class); err != nil {
			return nil, err
		}
	}
	r.merge(converters)
	r.addThrottle(v.text)
	if v.kind == connect.KindSource && v.worker.SourceDeadLetters {
		r.addSourceDeadLetters(v.text)
	}
	return r, nil
}

// addNulls complains of nulls, which JSON allows and configurations do not.
func (v *validation) addNulls(values connect.ConfigValues) {
	for key, value := range v.cfg {
		if value == nil {
			values.AddError(key, "Null value can not be supplied as the configuration value.")
		}
	}
}

// ownValues adds the connector's own definition and validation, which win over the framework's for keys of one name.
func (v *validation) ownValues(ctx context.Context, own, def *connect.ConfigDef, values connect.ConfigValues) (*connect.ConfigDef, []*connect.ConfigValue, error) {
	list := def.List(values)
	ownValues := own.ValidateValues(v.given)
	if validator, ok := connect.As[connect.Validator](v.connector); ok {
		if err := validator.Validate(ctx, v.text, ownValues); err != nil {
			return nil, nil, javaerror.In("validate the configuration of connector "+v.text[nameKey], err)
		}
	}
	var err error
	for _, k := range own.Keys() {
		if def, err = def.Replace(k); err != nil {
			return nil, nil, err
		}
	}
	return def, append(list, own.List(ownValues)...), nil
}

// addConverter adds the keys of a converter that the connector's configuration names.
func (v *validation) addConverter(r *Result, values connect.ConfigValues, b base, key, role string) {
	name, ok := v.text[key]
	class, version := values[key], values[key+"."+versionSuffix]
	if !ok || len(class.Errors) > 0 || len(version.Errors) > 0 {
		return
	}
	found, _ := v.find(strings.TrimSpace(name))
	want, required := v.text[version.Name]
	if err := v.checkVersion(found, want); required && err != nil {
		values.AddError(key, err.Error())
		values.AddError(version.Name, err.Error())
		return
	}
	versions, _ := requirement(want)
	info, _ := v.info(b.kind, found, versions)
	given := make(map[string]any)
	for name, value := range v.given {
		if rest, ok := strings.CutPrefix(name, key+"."); ok && rest != "" {
			given[rest] = value
		}
	}
	if _, ok := given[converterTypeKey]; !ok {
		given[converterTypeKey] = role
	}
	r.addPrefixed(key+".", info.Config, info.Config.List(info.Config.ValidateValues(given)))
}

// addOverrides adds the client properties that the connector's configuration overrides, if it uses such a client.
func (v *validation) addOverrides(ctx context.Context, r *Result, client, class string) error {
	if !v.uses(client) {
		return nil
	}
	var def *connect.ConfigDef
	if v.worker.ClientDef != nil {
		def = v.worker.ClientDef(client)
	}
	prefix := client + ".override."
	typed, properties := make(map[string]any), make(map[string]string)
	for name, value := range v.given {
		property, ok := strings.CutPrefix(name, prefix)
		if !ok || property == "" {
			continue
		}
		typed[property] = value
		if key, known := def.Key(property); known {
			one := connect.MustConfigDef(connect.ConfigKey{Name: property, Type: key.Type})
			parsed, err := one.ParseValues(map[string]any{property: value})
			if err != nil {
				return err
			}
			typed[property], _ = parsed.Value(property)
		}
		properties[property] = v.text[name]
	}
	if len(properties) == 0 {
		return nil
	}
	decided := make(connect.ConfigValues, len(properties))
	for property := range properties {
		decided[property] = &connect.ConfigValue{Name: property, Value: typed[property], Visible: true}
	}
	if v.worker.Policy != nil {
		values, err := v.worker.Policy.Validate(ctx, connect.OverrideRequest{
			Connector: v.text[nameKey], Class: class, Kind: v.kind, Client: client, Properties: properties,
		})
		if err != nil {
			return err
		}
		for _, value := range values {
			for _, message := range value.Errors {
				decided.AddError(value.Name, message)
			}
		}
	}
	r.addPrefixed(prefix, def, (*connect.ConfigDef)(nil).List(decided))
	return nil
}

// uses reports whether the connector has such a client.
func (v *validation) uses(client string) bool {
	if v.kind == connect.KindSink {
		return client == "consumer" || HasDLQ(v.text)
	}
	offsetClients := v.worker.GroupID != "" && (v.worker.ExactlyOnce || strings.TrimSpace(v.text[offsetsTopicKey]) != "")
	switch client {
	case "producer":
		return true
	case "consumer":
		return offsetClients
	}
	return offsetClients || usesTopicCreation(v.text)
}

func usesTopicCreation(cfg connect.Config) bool {
	for key := range cfg {
		if strings.HasPrefix(key, "topic.creation.") {
			return true
		}
	}
	return false
}

func newResult(name string) *Result {
	return &Result{Name: name, Groups: []string{}, Configs: []Config{}}
}

// add adds the values without a definition, and then every key of the definition. Of values with one name the last
// counts.
func (r *Result) add(def *connect.ConfigDef, values []*connect.ConfigValue) {
	byName := make(map[string]*connect.ConfigValue, len(values))
	for _, value := range values {
		byName[value.Name] = value
		if _, ok := def.Key(value.Name); !ok {
			r.Configs = append(r.Configs, Config{Value: describeValue("", 0, value)})
			r.ErrorCount += len(value.Errors)
		}
	}
	for _, key := range def.Keys() {
		c := Config{Definition: Describe("", key)}
		if value := byName[key.Name]; value != nil {
			c.Value = describeValue("", key.Type, value)
			r.ErrorCount += len(value.Errors)
		}
		r.Configs = append(r.Configs, c)
	}
	r.addGroups(def.Groups()...)
}

// addPrefixed adds the values of another definition under a prefix. It counts keys with errors, not errors.
func (r *Result) addPrefixed(prefix string, def *connect.ConfigDef, values []*connect.ConfigValue) {
	for _, value := range values {
		var c Config
		var typ connect.ConfigType
		if key, ok := def.Key(value.Name); ok {
			c.Definition, typ = Describe(prefix, key), key.Type
			if key.Group != "" {
				r.addGroups(key.Group)
			}
		}
		c.Value = describeValue(prefix, typ, value)
		c.Value.Visible = true
		if len(value.Errors) > 0 {
			r.ErrorCount++
		}
		r.Configs = append(r.Configs, c)
	}
}

func (r *Result) merge(other *Result) {
	r.ErrorCount += other.ErrorCount
	r.Configs = append(r.Configs, other.Configs...)
	r.addGroups(other.Groups...)
}

func (r *Result) addGroups(groups ...string) {
	for _, group := range groups {
		known := false
		for _, g := range r.Groups {
			known = known || g == group
		}
		if !known {
			r.Groups = append(r.Groups, group)
		}
	}
}

// mapText prints a configuration as Java prints a HashMap that is a copy of it.
func mapText(cfg map[string]*string, keys []string) string {
	entries := make([]string, 0, len(cfg))
	if len(keys) != len(cfg) || slices.ContainsFunc(keys, func(k string) bool { _, ok := cfg[k]; return !ok }) {
		keys = slices.Sorted(maps.Keys(cfg))
	}
	for _, key := range javahash.Order(keys, javahash.CopyBuckets(len(cfg))) {
		text := "null"
		if value := cfg[key]; value != nil {
			text = *value
		}
		entries = append(entries, key+"="+text)
	}
	return "{" + strings.Join(entries, ", ") + "}"
}
