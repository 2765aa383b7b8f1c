// Package clients turns the client properties of Kafka's Java clients, as configurations have them, into options of
// franz-go clients. It knows which properties each client of a worker and its connectors gets, which of them a connector
// may override, and shares producers that are configured alike.
package clients

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/gokconnect/connect"
)

// Kind is a kind of Kafka client, or a set of kinds.
type Kind uint8

// The kinds of clients.
const (
	KindProducer Kind = 1 << iota
	KindConsumer
	KindAdmin

	everyKind = KindProducer | KindConsumer | KindAdmin
)

// String returns the kind as the prefixes of configurations spell it, such as producer.
func (k Kind) String() string {
	var names []string
	for i, name := range []string{"producer", "consumer", "admin"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Property is a client property of Kafka 4.3 and what becomes of it here.
type Property struct {
	Name      string
	Clients   Kind // the Java clients that have it
	Type      connect.ConfigType
	Default   any // connect.Required, nil, or the text of the value
	Validator connect.ConfigValidator
	// Effect says what the property becomes, or, if Ignored, why it has no effect.
	Effect  string
	Ignored bool
	// AdminDefault is the default of an admin client where it differs.
	AdminDefault any
}

// Secret reports whether the property's value must never be shown.
func (p Property) Secret() bool { return p.Type == connect.ConfigPassword }

func (p Property) key(kind Kind) connect.ConfigKey {
	key := connect.ConfigKey{Name: p.Name, Type: p.Type, Default: p.Default, Validator: p.Validator, Importance: connect.Medium, Documentation: p.Effect}
	p.describe(kind, &key)
	if kind == KindAdmin && p.AdminDefault != nil {
		key.Default = p.AdminDefault
	}
	return key
}

// byName is the table of properties by name.
var byName = sync.OnceValue(func() map[string]Property {
	m := make(map[string]Property)
	for _, p := range Properties() {
		m[p.Name] = p
	}
	return m
})

var definitions = sync.OnceValue(func() map[Kind]*connect.ConfigDef {
	defs := make(map[Kind]*connect.ConfigDef)
	for _, kind := range []Kind{KindProducer, KindConsumer, KindAdmin} {
		var keys []connect.ConfigKey
		for _, p := range Properties() {
			if p.Clients&kind != 0 {
				keys = append(keys, p.key(kind))
			}
		}
		defs[kind] = connect.MustConfigDef(keys...)
	}
	return defs
})

// Definition returns the definition of the properties of a "producer", "consumer" or "admin" client, or nil.
func Definition(client string) *connect.ConfigDef {
	for kind, def := range definitions() {
		if kind.String() == client {
			return def
		}
	}
	return nil
}

// Names returns the names of the properties that clients of the kinds have, sorted.
func Names(kinds Kind) []string {
	var names []string
	for name, p := range byName() {
		if p.Clients&kinds != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Warning is something about a property that does not stop the client from working.
type Warning struct {
	Key     string
	Message string // a sentence that names the key; no secret
	// Unknown says that no client has the property. Kafka Connect hands a worker's whole configuration to some
	// clients; [Warnings.Without] takes those keys out.
	Unknown bool
}

// Warnings are the warnings about the properties of one client, in order of the keys.
type Warnings []Warning

// Without returns the warnings but those about properties that stand in inherited under the same name and are unknown, or
// are the worker's own: config.providers.
func (w Warnings) Without(inherited map[string]string) Warnings {
	return slices.DeleteFunc(slices.Clone(w), func(warning Warning) bool {
		_, ok := inherited[warning.Key]
		return ok && (warning.Unknown || warning.Key == "config.providers")
	})
}

// properties are the parsed properties of one client.
type properties struct {
	*connect.ParsedConfig
	kind     Kind
	given    map[string]string
	warnings Warnings
}

// parse checks the properties of a client. The error is a *[connect.ConfigError] in Kafka's words.
func parse(kind Kind, props map[string]string) (*properties, error) {
	known := connect.Config{}
	p := &properties{kind: kind, given: props}
	table, names := byName(), sync.OnceValue(func() []string { return Names(kind) })
	for key, value := range props {
		property, ok := table[key]
		switch {
		case ok && property.Clients&kind != 0:
			known[key] = value
			if property.Ignored && !isDefault(property, kind, value) {
				p.warn(key, "%s has no effect: %s", key, property.Effect)
			}
		case ok:
			p.unknown(key, fmt.Sprintf("%s is a property of another client (%s), so it has no effect on this one (%s)", key, property.Clients, kind))
		case strings.HasPrefix(key, "metrics.context."):
		default:
			message := fmt.Sprintf("%s is no property of the client (%s), so it has no effect", key, kind)
			if near, ok := Nearest(key, names()); ok {
				message += "; did you mean " + near + "?"
			}
			p.unknown(key, message)
		}
	}
	parsed, err := definitions()[kind].Parse(known)
	if err != nil {
		return nil, err
	}
	p.ParsedConfig = parsed
	return p, nil
}

func isDefault(p Property, kind Kind, value string) bool {
	text, ok := p.key(kind).Default.(string)
	return ok && strings.EqualFold(strings.TrimSpace(value), text)
}

func (p *properties) warn(key, format string, args ...any) {
	p.warnings = append(p.warnings, Warning{Key: key, Message: fmt.Sprintf(format, args...)})
}

func (p *properties) unknown(key, message string) {
	p.warnings = append(p.warnings, Warning{Key: key, Message: message, Unknown: true})
}

// isGiven reports whether the user or Connect set the property.
func (p *properties) isGiven(key string) bool {
	_, ok := p.given[key]
	return ok
}

// finish returns the warnings in order.
func (p *properties) finish() Warnings {
	sort.SliceStable(p.warnings, func(i, j int) bool { return p.warnings[i].Key < p.warnings[j].Key })
	return p.warnings
}
