package kafkatest_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gokconnect/connect/connecttest/kafkatest"
)

// request asks an instance's handler.
func request(t *testing.T, i *kafkatest.Instance, method, path string) (code int, body string) {
	t.Helper()
	answer := httptest.NewRecorder()
	i.Runtime.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, "http://"+i.Name+path, nil))
	return answer.Code, answer.Body.String()
}
