package main

import (
	"crypto/subtle"
	"net/http"
)

// operators returns Kafka Connect's REST API below /connect, for those who have the token.
func (s *service) operators(token string) http.Handler {
	api := http.StripPrefix("/connect", s.runtime.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="operators"`)
			http.Error(w, "this is for operators", http.StatusUnauthorized)
			return
		}
		api.ServeHTTP(w, r)
	})
}
