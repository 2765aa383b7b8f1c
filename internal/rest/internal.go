package rest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

// Signature is how a request of another worker is signed.
type Signature struct {
	Algorithm string // Java's name, such as HmacSHA256
	MAC       []byte
}

// The headers of a signature.
const (
	HeaderSignature = "X-Connect-Authorization"
	HeaderAlgorithm = "X-Connect-Request-Signature-Algorithm"
)

// algorithms are those that Java has.
var algorithms = [...]string{"HmacMD5", "HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"}

// signature returns the signature of a request; nil if it has none.
func signature(h http.Header) (*Signature, error) {
	algorithm, mac := h.Values(HeaderAlgorithm), h.Values(HeaderSignature)
	if len(algorithm) == 0 || len(mac) == 0 {
		return nil, nil
	}
	known := false
	for _, a := range algorithms {
		known = known || strings.EqualFold(a, algorithm[0])
	}
	if !known {
		return nil, Errorf(http.StatusBadRequest, "Algorithm %s not available", algorithm[0])
	}
	decoded, err := base64.StdEncoding.DecodeString(mac[0])
	if err != nil {
		return nil, Errorf(http.StatusBadRequest, "Illegal base64 in the header %s", HeaderSignature)
	}
	return &Signature{algorithm[0], decoded}, nil
}

func (s *Server) putTasks(r *request) (*answer, error) {
	body, err := r.content()
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, badBody("No content to map due to end-of-input")
	}
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	elements, isList := v.([]any)
	if !isList && v != nil {
		return nil, wrongType("List", v)
	}
	configs := make([]Config, len(elements))
	for i, e := range elements {
		if configs[i], err = config(e); err != nil {
			return nil, fmt.Errorf("task %d: %w", i, err)
		}
	}
	sig, err := signature(r.Header)
	if err != nil {
		return nil, err
	}
	if err := s.Tasks.PutTasks(r.ctx, r.params[0], configs, body, sig); err != nil {
		return nil, err
	}
	return done(http.StatusNoContent)
}

func (s *Server) fence(r *request) (*answer, error) {
	body, err := r.content()
	if err != nil {
		return nil, err
	}
	sig, err := signature(r.Header)
	if err != nil {
		return nil, err
	}
	if err := s.Tasks.Fence(r.ctx, r.params[0], body, sig); err != nil {
		return nil, err
	}
	return done(http.StatusNoContent)
}
