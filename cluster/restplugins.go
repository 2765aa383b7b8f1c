package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
	"github.com/gokconnect/connect/internal/rest"
)

// apiPlugins is the runtime as the REST API sees its plugins.
type apiPlugins struct{ rt *Runtime }

var _ rest.Plugins = apiPlugins{}

func (a apiPlugins) Plugins(_ context.Context, connectorsOnly bool) ([]rest.Plugin, error) {
	kinds := []connect.Kind{
		connect.KindSink, connect.KindSource, connect.KindTransformation, connect.KindPredicate, connect.KindConverter, connect.KindHeaderConverter,
	}
	if connectorsOnly {
		kinds = kinds[:2]
	}
	var all []rest.Plugin
	reg := a.rt.plugins.Load()
	for _, kind := range kinds {
		for _, info := range reg.List(kind) {
			if !info.Hidden {
				all = append(all, rest.Plugin{Class: info.Class, Type: kind.String(), Version: info.Version})
			}
		}
	}
	return all, nil
}

func (a apiPlugins) PluginConfig(_ context.Context, name string) ([]*connconfig.Definition, error) {
	if name == basicAuth {
		return nil, &connconfig.RequestError{Message: fmt.Sprintf("Invalid plugin class %s. Valid types are sink, source, converter, header_converter, transformation, predicate.", name)}
	}
	return connconfig.DescribePlugin(a.rt.plugins.Load(), name)
}

func (a apiPlugins) Validate(ctx context.Context, cfg rest.Config) (*connconfig.Result, error) {
	r, err := a.rt.validate(ctx, cfg.Map(), cfg.Keys())
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("Request timed out. %v", a.rt.stage.String())
	}
	return r, a.rt.raised(err)
}
