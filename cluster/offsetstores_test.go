package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/offsets"
)

// A request that is given up while it makes a connector's store ready must not fail the connector that waits for it.
func TestOwnStoreOutlivesWhoOpensIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(kafka)
		opened := 0
		open := func(ctx context.Context) func() (offsets.Store, error) {
			return func() (offsets.Store, error) {
				opened++
				select {
				case <-time.After(time.Minute):
					return new(offsets.Memory), nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}
		}
		request, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		go func() {
			if _, _, err := k.shareOwn(request, "k", open(request)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the request ended with %v", err)
			}
		}()
		time.Sleep(time.Second)
		store, release, err := k.shareOwn(t.Context(), "k", open(t.Context()))
		if err != nil || opened != 2 {
			t.Fatalf("opened %d times: %v", opened, err)
		}
		other, releaseOther, err := k.shareOwn(t.Context(), "k", open(t.Context()))
		if err != nil || other != store {
			t.Errorf("it is not shared: %v", err)
		}
		release()
		releaseOther()
		if len(k.own.stores) != 0 {
			t.Errorf("it is kept with no users")
		}
	})
}
