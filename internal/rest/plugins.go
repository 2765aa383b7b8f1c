package rest

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

func pluginRoutes() []route {
	return []route{
		{path("/connector-plugins"), get((*Server).plugins)},
		{path("/connector-plugins/{}/config"), get((*Server).pluginConfig)},
		{path("/connector-plugins/{}/config/validate"), map[string]endpoint{http.MethodPut: {serve: (*Server).validate}}},
	}
}

func (s *Server) plugins(r *request) (*answer, error) {
	plugins, err := s.Plugins.Plugins(r.ctx, r.query.flag("connectorsOnly", true))
	if err != nil {
		return nil, err
	}
	return ok(list(plugins))
}

func (s *Server) pluginConfig(r *request) (*answer, error) {
	keys, err := s.Plugins.PluginConfig(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(list(keys))
}

func (s *Server) validate(r *request) (*answer, error) {
	cfg, err := r.configBody()
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		return nil, badBody("The request has no connector configuration")
	}
	all := cfg.Map()
	short := func(class string) string { return cmp.Or(strings.TrimSuffix(class, "Connector"), class) }
	if class := all["connector.class"]; class != nil && !strings.HasSuffix(short(*class), short(r.params[0])) {
		return nil, Errorf(http.StatusBadRequest, "Included connector type %s does not match request type %s", *class, r.params[0])
	}
	result, err := s.Plugins.Validate(r.ctx, cfg)
	if err != nil {
		return nil, wrapped(err)
	}
	return ok(result)
}

// wrapped puts the class of the exception before its message, which is what validation through its own endpoint does.
func wrapped(err error) error {
	var request *connconfig.RequestError
	var config *connect.ConfigError
	switch {
	case errors.As(err, &request):
		return Errorf(http.StatusInternalServerError, "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: %s", request.Message)
	case errors.As(err, &config):
		return Errorf(http.StatusInternalServerError, "org.apache.kafka.common.config.ConfigException: %v", config)
	}
	return err
}
