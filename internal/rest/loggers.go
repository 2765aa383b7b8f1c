package rest

import (
	"net/http"
	"strings"
)

func loggerRoutes() []route {
	return []route{
		{path("/admin/loggers"), get((*Server).loggers)},
		{path("/admin/loggers/{}"), map[string]endpoint{http.MethodGet: {serve: (*Server).logger}, http.MethodPut: {serve: (*Server).setLevel}}},
	}
}

func (s *Server) loggers(*request) (*answer, error) {
	all := s.Loggers.Loggers()
	out := make(ordered, len(all))
	for i, l := range all {
		out[i] = member{l.Name, l}
	}
	return ok(out)
}

func (s *Server) logger(r *request) (*answer, error) {
	l, found := s.Loggers.Logger(r.params[0])
	if !found {
		return nil, NotFoundf("Logger %s not found.", r.params[0])
	}
	return ok(l)
}

func (s *Server) setLevel(r *request) (*answer, error) {
	cfg, err := r.configBody()
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		return nil, errNoBody
	}
	level := cfg.Map()["level"]
	switch {
	case level == nil:
		return nil, Errorf(http.StatusBadRequest, "Desired 'level' parameter was not specified in request.")
	case *level == "":
		return nil, badBody("The level is empty")
	}
	scope := ""
	if v := r.query["scope"]; len(v) > 0 {
		scope = v[0]
	}
	everywhere := strings.EqualFold(scope, "cluster")
	changed, err := s.Loggers.SetLevel(r.ctx, r.params[0], *level, everywhere)
	switch {
	case err != nil:
		return nil, err
	case everywhere:
		return done(http.StatusNoContent)
	}
	return ok(list(changed))
}
