package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// order is what the service deals in.
type order struct {
	ID    string `json:"id"`
	Cents int64  `json:"cents"`
}

// service is the service: HTTP handlers, and the connectors that work for them.
type service struct {
	runtime *cluster.Runtime
	outbox  *outbox
	ship    func(context.Context, order) error
	token   string // of operators, who may use Kafka Connect's REST API; "" is none
}

// newService returns a service that keeps orders in a file and has them shipped. ship may get an order twice, when the
// service crashed in between.
func newService(cfg cluster.Config, file string, ship func(context.Context, order) error) (*service, error) {
	out, err := openOutbox(file)
	if err != nil {
		return nil, err
	}
	s := &service{outbox: out, ship: ship}
	if s.runtime, err = cluster.New(cfg); err == nil {
		err = s.runtime.Add(
			cluster.Source{Name: "outbox", Topic: "orders", Connector: &connect.Partitioned[string, int64]{Read: out.read}},
			cluster.Sink{Name: "shipping", Topics: []string{"orders"}, Connector: connect.SinkFunc(s.put), DeadLetters: "orders-bad",
				Config: connect.Config{"errors.deadletterqueue.topic.replication.factor": "1"}},
		)
	}
	if err != nil {
		out.Close()
		return nil, err
	}
	return s, nil
}

// put is the sink. What is no order, or can't be shipped, goes to the topic for dead letters.
func (s *service) put(ctx context.Context, records []connect.SinkRecord) error {
	var failed connect.BatchError
	for i, r := range records {
		var o order
		text, _ := r.Value.(string) // anything else is no order either
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			failed.Fail(i, &connect.DataError{Message: "not an order", Err: err})
		} else if err := s.ship(ctx, o); err != nil {
			failed.Fail(i, err)
		}
	}
	return failed.ErrorOrNil()
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.postOrder)
	mux.HandleFunc("GET /health", s.getHealth)
	if s.token != "" {
		mux.Handle("/connect/", s.operators(s.token))
	}
	return mux
}

// postOrder answers when the order is written down: from there on it gets to Kafka, whatever happens.
func (s *service) postOrder(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&o); err != nil || o.ID == "" {
		http.Error(w, "an order is {id, cents}", http.StatusBadRequest)
		return
	}
	if err := s.outbox.add(o); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// getHealth says how the connectors are.
func (s *service) getHealth(w http.ResponseWriter, r *http.Request) {
	code, states := http.StatusOK, make(map[string]cluster.State)
	for _, name := range []string{"outbox", "shipping"} {
		status, err := s.runtime.Status(r.Context(), name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		states[name] = status.State
		for _, task := range status.Tasks {
			if task.State == cluster.Failed {
				states[name] = cluster.Failed
			}
		}
		if states[name] != cluster.Running {
			code = http.StatusServiceUnavailable
		}
	}
	writeJSON(w, code, states)
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}
