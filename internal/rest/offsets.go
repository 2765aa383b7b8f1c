package rest

import (
	"net/http"
	"strings"
)

func offsetRoutes() []route {
	return []route{{path("/connectors/{}/offsets"), map[string]endpoint{
		http.MethodGet: {serve: (*Server).offsets}, http.MethodPatch: {serve: (*Server).alterOffsets}, http.MethodDelete: {serve: (*Server).resetOffsets},
	}}}
}

func (s *Server) offsets(r *request) (*answer, error) {
	offsets, err := s.Offsets.Offsets(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(ordered{{"offsets", list(offsets)}})
}

func (s *Server) alterOffsets(r *request) (*answer, error) {
	v, err := r.json()
	if err != nil {
		return nil, err
	}
	o, err := members(v, "ConnectorOffsets", "offsets")
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errNoBody
	}
	var changes []OffsetChange
	if v := o.values["offsets"]; v != nil {
		entries, isList := v.([]any)
		if !isList {
			return nil, wrongType("List", v)
		}
		for _, e := range entries {
			change, err := offsetChange(e)
			if err != nil {
				return nil, err
			}
			changes = append(changes, change)
		}
	}
	if len(changes) == 0 {
		return nil, Errorf(http.StatusBadRequest, "Partitions / offsets need to be provided for an alter offsets request")
	}
	if dry, err := dryRun(r); dry || err != nil {
		return s.previewOffsets(r, changes, err)
	}
	message, err := s.Offsets.AlterOffsets(r.ctx, r.params[0], changes)
	if err != nil {
		return nil, err
	}
	return ok(ordered{{"message", message}})
}

func offsetChange(v any) (c OffsetChange, err error) {
	o, err := members(v, "ConnectorOffset", "partition", "offset")
	if err != nil {
		return c, err
	}
	if o == nil {
		return c, badBody("An entry of offsets is null")
	}
	if c.Partition, err = plainMap(o.values["partition"]); err != nil {
		return c, err
	}
	c.Offset, err = plainMap(o.values["offset"])
	return c, err
}

// dryRun reports whether a request only asks what it would do. A value that is neither true nor false is refused: what is
// meant to change nothing must not.
func dryRun(r *request) (bool, error) {
	v := r.query["dryRun"]
	switch {
	case len(v) == 0:
		return false, nil
	case strings.EqualFold(v[0], "true"), strings.EqualFold(v[0], "false"):
		return strings.EqualFold(v[0], "true"), nil
	}
	return false, Errorf(http.StatusBadRequest, "Invalid value %q for parameter dryRun: it is true or false", v[0])
}

func (s *Server) previewOffsets(r *request, changes []OffsetChange, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	previews, err := s.Offsets.PreviewOffsets(r.ctx, r.params[0], changes)
	if err != nil {
		return nil, err
	}
	out := make([]ordered, len(previews))
	for i, p := range previews {
		out[i] = ordered{{"partition", p.Partition}, {"from", p.From}, {"to", p.To}}
	}
	return ok(ordered{{"changes", list(out)}})
}

func (s *Server) resetOffsets(r *request) (*answer, error) {
	if dry, err := dryRun(r); dry || err != nil {
		return s.previewOffsets(r, nil, err)
	}
	message, err := s.Offsets.ResetOffsets(r.ctx, r.params[0])
	if err != nil {
		return nil, err
	}
	return ok(ordered{{"message", message}})
}
