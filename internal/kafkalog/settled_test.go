package kafkalog_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/kafkalog"
	"github.com/twmb/franz-go/pkg/kerr"
)

// leaders is a client that takes in a topic some time after it has sent the first records.
type leaders struct {
	known time.Time
	err   error
}

func (l leaders) PartitionLeader(string, int32) (leader, epoch int32, err error) {
	if time.Now().Before(l.known) {
		return -1, -1, nil
	}
	if l.err != nil {
		return -1, -1, l.err
	}
	return 1, 1, nil
}

func TestAwaitTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, err := range []error{nil, kerr.LeaderNotAvailable} {
			known := time.Now().Add(time.Second)
			if err := kafkalog.AwaitTopic(t.Context(), leaders{known, err}, "t"); err != nil || time.Now().Before(known) {
				t.Errorf("it returned %v %v too early", err, time.Until(known))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := kafkalog.AwaitTopic(ctx, leaders{known: time.Now().Add(time.Hour)}, "t"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}
