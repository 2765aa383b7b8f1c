package rest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/rest"
)

// silent takes requests and never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A worker that hangs is not waited for without an end, whatever the caller allows.
func TestAskGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := rest.Peers{Client: &http.Client{Transport: silent{}}}.Ask(context.Background(), http.MethodPut, "http://a:1/", "/connectors/c/fence", nil, nil)
		if err == nil || !strings.Contains(err.Error(), "did not answer within 2m0s") {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
