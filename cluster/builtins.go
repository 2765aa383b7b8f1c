package cluster

import (
	"slices"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/internal/configprovider"
	"github.com/gokconnect/connect/internal/predicate"
	"github.com/gokconnect/connect/internal/smt"
	"github.com/gokconnect/connect/internal/values"
	"github.com/gokconnect/connect/plugin/jsonconv"
)

// Builtins returns the plugins that every runtime has: the converters, transformations, predicates,
// config providers and override policies of Kafka Connect, under their Java names.
func Builtins() []connect.Plugin {
	return slices.Concat(connect.BuiltinConverters(), []connect.Plugin{jsonconv.Plugin(), jsonconv.HeaderPlugin(), values.SimpleHeaderConverter()}, smt.Plugins(), predicate.Plugins(),
		configprovider.Plugins(), clients.Policies())
}

// withBuiltins returns a registry with the built-in plugins and those of the application, which may take the place of
// built-in ones.
func withBuiltins(own *connect.Registry) *connect.Registry {
	r := new(connect.Registry).MustAdd(Builtins()...)
	if own != nil {
		r.Merge(own)
	}
	return r
}
