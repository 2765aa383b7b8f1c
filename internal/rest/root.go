package rest

import (
	"context"
	"net/http"
)

func rootRoutes() []route {
	return []route{
		{path("/"), only(endpoint{serve: (*Server).root, anyBody: true})},
		{path("/health"), only(endpoint{serve: (*Server).health, anyBody: true})},
	}
}

func (s *Server) root(r *request) (*answer, error) {
	root, err := s.Worker.Root(r.ctx)
	if err != nil {
		return nil, err
	}
	return ok(ordered{{"version", root.Version}, {"commit", root.Commit}, {"kafka_cluster_id", root.ClusterID}})
}

func (s *Server) health(r *request) (*answer, error) {
	ctx, cancel := context.WithTimeout(r.ctx, s.HealthTimeout)
	defer cancel()
	ready, able := s.Worker.Health(ctx)
	status, name, message := http.StatusOK, "healthy", "Worker has completed startup and is ready to handle requests."
	switch {
	case !ready:
		status, name, message = http.StatusServiceUnavailable, "starting", "Worker is still starting up."
	case !able:
		status, name, message = http.StatusInternalServerError, "unhealthy", "Worker was unable to handle this request and may be unable to handle other requests."
	}
	if stage := s.Worker.Stage(); stage != "" && (!ready || !able) {
		message += " " + stage
	}
	return &answer{status: status, body: ordered{{"status", name}, {"message", message}}}, nil
}
