package rest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gokconnect/connect"
)

func connectorRoutes() []route {
	put := func(state State, status int) map[string]endpoint {
		return map[string]endpoint{http.MethodPut: {serve: func(s *Server, r *request) (*answer, error) {
			if err := s.Connectors.SetState(r.ctx, r.params[0], state); err != nil {
				return nil, err
			}
			return done(status)
		}}}
	}
	return []route{
		{path("/connectors"), map[string]endpoint{http.MethodGet: {serve: (*Server).connectors}, http.MethodPost: {serve: (*Server).create}}},
		{path("/connectors/{}"), map[string]endpoint{http.MethodGet: {serve: (*Server).connector}, http.MethodDelete: {serve: (*Server).delete}}},
		{path("/connectors/{}/config"), map[string]endpoint{
			http.MethodGet: {serve: (*Server).config}, http.MethodPut: {serve: (*Server).put}, http.MethodPatch: {serve: (*Server).patch},
		}},
		{path("/connectors/{}/pause"), put(Paused, http.StatusAccepted)},
		{path("/connectors/{}/resume"), put(Running, http.StatusAccepted)},
		{path("/connectors/{}/stop"), put(Stopped, http.StatusNoContent)},
		{path("/connectors/{}/restart"), map[string]endpoint{http.MethodPost: {serve: (*Server).restart}}},
	}
}

func (s *Server) connectors(r *request) (*answer, error) {
	names, err := s.Connectors.Names(r.ctx)
	if err != nil {
		return nil, err
	}
	expand, wanted := r.query["expand"]
	if !wanted {
		return ok(list(names))
	}
	all := make(ordered, 0, len(names))
	for _, name := range names {
		one := make(ordered, 0, 2)
		var err error
		for _, what := range expand {
			var v any
			switch what {
			case "status":
				v, err = s.Tasks.Status(r.ctx, name)
			case "info":
				v, err = s.Connectors.Connector(r.ctx, name)
			default:
				continue
			}
			if err != nil {
				break
			}
			one = one.with(what, v)
		}
		switch {
		case errors.Is(err, connect.ErrNotFound): // deleted meanwhile
		case err != nil:
			return nil, err
		default:
			all = append(all, member{name, one})
		}
	}
	return ok(all)
}

// with sets a member.
func (o ordered) with(key string, value any) ordered {
	for i := range o {
		if o[i].key == key {
			o[i].value = value
			return o
		}
	}
	return append(o, member{key, value})
}

var errNoBody = badBody("The request has no body")

// javaTrim removes control characters and spaces, as Java's String.trim does.
func javaTrim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

func (s *Server) create(r *request) (*answer, error) {
	v, err := r.json()
	if err != nil {
		return nil, err
	}
	o, err := members(v, "CreateConnectorRequest", "name", "config", "initial_state")
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errNoBody
	}
	given, err := text(o.values["name"])
	if err != nil {
		return nil, err
	}
	name := ""
	if given != nil {
		name = javaTrim(*given)
	}
	initial, err := initialState(o.values["initial_state"])
	if err != nil {
		return nil, err
	}
	cfg, err := config(o.values["config"])
	if err != nil {
		return nil, err
	}
	if cfg, err = named(cfg, name); err != nil {
		return nil, err
	}
	info, err := s.Connectors.Create(r.ctx, name, cfg, initial)
	if err != nil {
		return nil, err
	}
	return created(info)
}

// created answers with the resource that was made.
func created(info *ConnectorInfo) (*answer, error) {
	location, err := locationOf(info.Name)
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusCreated, body: info, location: location}, nil
}

func initialState(v any) (State, error) {
	if v == nil {
		return "", nil
	}
	given, err := text(v)
	if err != nil {
		return "", err
	}
	for _, state := range []State{Running, Paused, Stopped} {
		if strings.EqualFold(string(state), *given) {
			return state, nil
		}
	}
	return "", badBody("initial_state is %q: it must be RUNNING, PAUSED or STOPPED", *given)
}

// named returns the configuration with its name, which it must agree with if it has one.
func named(cfg Config, name string) (Config, error) {
	if cfg == nil {
		return nil, badBody("The request has no connector configuration")
	}
	for i, e := range cfg {
		if e.Key != "name" {
			continue
		}
		if e.Value != nil && *e.Value != name {
			return nil, Errorf(http.StatusBadRequest, "Connector name configuration (%s) doesn't match connector name in the URL (%s)", *e.Value, name)
		}
		cfg[i].Value = &name
		return cfg, nil
	}
	return append(cfg, Entry{"name", &name}), nil
}

func (s *Server) connector(r *request) (*answer, error) {
	info, err := s.Connectors.Connector(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(info)
}

func (s *Server) config(r *request) (*answer, error) {
	info, err := s.Connectors.Connector(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(info.Config)
}

// configBody returns the configuration that is the body.
func (r *request) configBody() (Config, error) {
	v, err := r.json()
	if err != nil {
		return nil, err
	}
	return config(v)
}

func (s *Server) put(r *request) (*answer, error) {
	cfg, err := r.configBody()
	if err != nil {
		return nil, err
	}
	if cfg, err = named(cfg, r.params[0]); err != nil {
		return nil, err
	}
	info, isNew, err := s.Connectors.Put(r.ctx, r.params[0], cfg)
	switch {
	case err != nil:
		return nil, err
	case isNew:
		return created(info)
	}
	return ok(info)
}

func (s *Server) patch(r *request) (*answer, error) {
	changes, err := r.configBody()
	if err != nil {
		return nil, err
	}
	info, err := s.Connectors.Patch(r.ctx, r.params[0], changes)
	if err != nil {
		return nil, err
	}
	return ok(info)
}

func (s *Server) delete(r *request) (*answer, error) {
	if err := s.Connectors.Delete(r.ctx, r.params[0]); err != nil {
		return nil, err
	}
	return done(http.StatusNoContent)
}

func (s *Server) restart(r *request) (*answer, error) {
	plan := RestartPlan{r.query.flag("includeTasks", false), r.query.flag("onlyFailed", false)}
	status, err := s.Connectors.Restart(r.ctx, r.params[0], plan)
	switch {
	case err != nil:
		return nil, err
	case status == nil:
		return done(http.StatusNoContent)
	}
	return &answer{status: http.StatusAccepted, body: status}, nil
}
