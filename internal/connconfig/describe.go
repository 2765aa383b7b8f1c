package connconfig

import (
	"errors"
	"fmt"

	"github.com/gokconnect/connect"
)

// instantiation is what Java says of a class that no instance can be made of.
const instantiation = "Instantiation error"

// DescribePlugin returns the definitions of the keys of the plugin that has the name or alias; for a connector its own
// keys are followed by those that the framework adds. An error wraps [connect.ErrNotFound] if there is no such plugin, and
// is a *[RequestError] if it is of a kind without keys of connectors.
func DescribePlugin(reg *connect.Registry, name string) ([]*Definition, error) {
	p := plugins{reg}
	class, ok := p.find(name)
	if !ok {
		return nil, fmt.Errorf("Unknown plugin %s.%w", name, silent{connect.ErrNotFound})
	}
	for _, kind := range [...]connect.Kind{
		connect.KindSink, connect.KindSource, connect.KindConverter, connect.KindHeaderConverter, connect.KindTransformation, connect.KindPredicate,
	} {
		info, ok := p.info(kind, class, nil)
		if !ok {
			continue
		}
		var base *connect.ConfigDef
		switch kind {
		case connect.KindSink:
			base = plugins{}.define(sinkKeys(), withVersion(info.Version))
		case connect.KindSource:
			base = plugins{}.define(sourceKeys(), withVersion(info.Version))
		}
		return describeAll(info.Config, base), nil
	}
	if isJavaClass(class) || p.isAbstract(class) {
		return nil, errors.New(instantiation)
	}
	return nil, &RequestError{"Invalid plugin class " + name + ". Valid types are sink, source, converter, header_converter, transformation, predicate."}
}

// WithCommonKeys returns a definition of the keys that all connectors have, followed by own's. Connectors of Kafka whose own
// definitions repeat those keys, the mirror connectors, are registered with it: the REST API shows the difference. It
// fails if own has such a key already.
func WithCommonKeys(own *connect.ConfigDef) (*connect.ConfigDef, error) {
	return plugins{}.define(nil, plugins{}.recommend).With(own.Keys()...)
}

// withVersion makes the version in use the default.
func withVersion(version string) func(*connect.ConfigKey) {
	return func(k *connect.ConfigKey) {
		if k.Name == versionKey {
			k.Default = version
		}
	}
}

// describeAll returns the definitions of a plugin's own keys, followed by those of base that it does not have.
func describeAll(own, base *connect.ConfigDef) []*Definition {
	all := make([]*Definition, 0, own.Len()+base.Len())
	for _, k := range own.Keys() {
		all = append(all, Describe("", k))
	}
	for _, k := range base.Keys() {
		if _, ok := own.Key(k.Name); !ok {
			all = append(all, Describe("", k))
		}
	}
	return all
}

// silent is an error for errors.Is alone.
type silent struct{ err error }

func (s silent) Error() string { return "" }
func (s silent) Unwrap() error { return s.err }
