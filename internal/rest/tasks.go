package rest

import (
	"net/http"
	"strconv"

	"github.com/gokconnect/connect"
)

func taskRoutes() []route {
	return []route{
		{path("/connectors/{}/status"), get((*Server).status)},
		{path("/connectors/{}/tasks"), map[string]endpoint{
			http.MethodGet: {serve: (*Server).tasks}, http.MethodPost: {serve: (*Server).putTasks, anyBody: true, open: true},
		}},
		{path("/connectors/{}/tasks/{}/status"), get((*Server).taskStatus)},
		{path("/connectors/{}/tasks/{}/restart"), map[string]endpoint{http.MethodPost: {serve: (*Server).restartTask}}},
		{path("/connectors/{}/topics"), get((*Server).topics)},
		{path("/connectors/{}/topics/reset"), map[string]endpoint{http.MethodPut: {serve: (*Server).resetTopics}}},
		{path("/connectors/{}/fence"), map[string]endpoint{http.MethodPut: {serve: (*Server).fence, anyBody: true, open: true}}},
	}
}

func (s *Server) status(r *request) (*answer, error) {
	status, err := s.Tasks.FirstStatus(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(status)
}

func (s *Server) tasks(r *request) (*answer, error) {
	tasks, err := s.Tasks.Tasks(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(list(tasks))
}

// taskID returns the task of the path.
func (r *request) taskID() (connect.TaskID, error) {
	n, err := strconv.ParseInt(r.params[1], 10, 32)
	if err != nil {
		return connect.TaskID{}, NotFoundf("HTTP 404 Not Found")
	}
	return connect.TaskID{Connector: r.params[0], Task: int(n)}, nil
}

func (s *Server) taskStatus(r *request) (*answer, error) {
	id, err := r.taskID()
	if err != nil {
		return nil, err
	}
	status, err := s.Tasks.TaskStatus(r.ctx, id)
	if err != nil {
		return nil, err
	}
	return ok(*status)
}

func (s *Server) restartTask(r *request) (*answer, error) {
	id, err := r.taskID()
	if err != nil {
		return nil, err
	}
	if err := s.Tasks.RestartTask(r.ctx, id); err != nil {
		return nil, err
	}
	return done(http.StatusNoContent)
}

func (s *Server) topics(r *request) (*answer, error) {
	if !s.Tracking {
		return nil, Errorf(http.StatusForbidden, "Topic tracking is disabled.")
	}
	topics, err := s.Tasks.Topics(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(ordered{{r.params[0], ordered{{"topics", list(topics)}}}})
}

func (s *Server) resetTopics(r *request) (*answer, error) {
	switch {
	case !s.Tracking:
		return nil, Errorf(http.StatusForbidden, "Topic tracking is disabled.")
	case !s.TrackingReset:
		return nil, Errorf(http.StatusForbidden, "Topic tracking reset is disabled.")
	}
	if err := s.Tasks.ResetTopics(r.ctx, r.params[0]); err != nil {
		return nil, err
	}
	return done(http.StatusAccepted)
}
