package cluster

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gokconnect/connect/internal/configstore"
	"github.com/twmb/franz-go/pkg/kerr"
)

// contested is a config store whose right to write others take.
type contested struct {
	configstore.Store
	claim, write func(n int) error // of the n-th call, from 1
	claims       int
	writes       int
}

func (c *contested) Claim(context.Context) error { c.claims++; return c.claim(c.claims) }

func (c *contested) PutRestart(context.Context, configstore.RestartRequested) error {
	c.writes++
	return c.write(c.writes)
}

// TestClaims: a write is repeated while others take the right to make it, and no longer than claimTime; any other error ends it.
func TestClaims(t *testing.T) {
	fine := func(int) error { return nil }
	until := func(n int, err error) func(int) error {
		return func(i int) error {
			if i < n {
				return err
			}
			return nil
		}
	}
	other := errors.New("other")
	for _, tt := range []struct {
		name           string
		claim, write   func(int) error
		want           error
		claims, writes int // 0 for any number
	}{
		{"at once", fine, fine, nil, 1, 1},
		{"taken five times", fine, until(6, &configstore.PrivilegeError{Err: kerr.ProducerFenced}), nil, 6, 6},
		{"taken before the write", fine, until(2, configstore.ErrNotClaimed), nil, 2, 2},
		{"two claim at once", until(3, kerr.ProducerFenced), fine, nil, 3, 1},
		{"taken for ever", fine, until(1e6, &configstore.PrivilegeError{Err: kerr.InvalidProducerEpoch}), kerr.InvalidProducerEpoch, 0, 0},
		{"another error", fine, until(6, other), other, 1, 1},
		{"another error of a claim", until(6, other), fine, other, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &contested{Store: configstore.NewMemory(nil), claim: tt.claim, write: tt.write}
				if err := store.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err := claimedStore{store}.PutRestart(t.Context(), configstore.RestartRequested{Connector: "c"})
				if !errors.Is(err, tt.want) || err == nil != (tt.want == nil) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				if tt.claims > 0 && (store.claims != tt.claims || store.writes != tt.writes) {
					t.Errorf("%d claims and %d writes, want %d and %d", store.claims, store.writes, tt.claims, tt.writes)
				}
				if took := time.Since(began); took > claimTime || tt.claims == 0 && took < claimTime-lastClaimPause {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
