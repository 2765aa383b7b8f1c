package kafkatest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gokconnect/connect/internal/kafkatest"
)

func TestClusterInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t, kafkatest.Brokers(3))
		c.MustCreateTopic("t", 2, "cleanup.policy", "compact")
		c.Produce(&kgo.Record{Topic: "t", Partition: 1, Key: []byte("k"), Value: []byte("v")}, &kgo.Record{Topic: "t", Key: []byte("k")})
		time.Sleep(48 * time.Hour)
		if got, want := c.Texts("t"), []string{"k=null", "k=v"}; !slices.Equal(got, want) {
			t.Errorf("topic holds %q, want %q", got, want)
		}
	})
}

func TestRecordsShowsCommittedOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		cl := c.Client(kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"))
		for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			if err := cl.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			if err := cl.ProduceSync(t.Context(), kgo.StringRecord(map[kgo.TransactionEndTry]string{kgo.TryCommit: "yes", kgo.TryAbort: "no"}[commit])).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if err := cl.EndTransaction(t.Context(), commit); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := c.Texts("t"), []string{"null=yes"}; !slices.Equal(got, want) {
			t.Errorf("topic holds %q, want %q", got, want)
		}
	})
}

func TestOffsetsOfUnknownGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		adm := kadm.NewClient(c.Client())
		got, err := adm.FetchOffsets(t.Context(), "nobody")
		if err != nil || len(got) != 0 {
			t.Errorf("offsets of an unknown group: %v, error %v", got, err)
		}
	})
}

func TestBadTopicSettingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		adm := kadm.NewClient(c.Client())
		got, err := adm.CreateTopic(t.Context(), 1, 1, map[string]*string{"min.insync.replicas": kadm.StringPtr("abc")}, "t")
		if want := "Invalid value abc for configuration min.insync.replicas: Not a number of type INT"; !errors.Is(err, kerr.InvalidConfig) || got.ErrMessage != want {
			t.Errorf("error %v, message %q, want %q", err, got.ErrMessage, want)
		}
	})
}

func TestLinkCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		link := c.NewLink()
		cl, err := kgo.NewClient(append(link.ClientOpts(), kgo.DefaultProduceTopic("t"))...)
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		link.Cut()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := cl.Ping(ctx); err == nil {
			t.Error("the cluster answers over a cut link")
		}
		if err := c.Client().Ping(t.Context()); err != nil {
			t.Errorf("another link: %v", err)
		}
		link.Heal()
		if err := cl.ProduceSync(t.Context(), kgo.StringRecord("v")).FirstErr(); err != nil {
			t.Errorf("over the healed link: %v", err)
		}
	})
}

func TestLinkFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.New(t)
		c.MustCreateTopic("t", 1)
		link := c.NewLink()
		cl, err := kgo.NewClient(append(link.ClientOpts(), kgo.DefaultProduceTopic("t"))...)
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		if err := cl.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		link.Freeze()
		done := make(chan error, 1)
		go func() { done <- cl.ProduceSync(t.Context(), kgo.StringRecord("v")).FirstErr() }()
		time.Sleep(8 * time.Second)
		if len(done) > 0 {
			t.Errorf("an answer over a frozen link: %v", <-done)
		}
		link.Thaw()
		if err := <-done; err != nil {
			t.Errorf("what was held back: %v", err)
		}
		link.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := cl.Ping(ctx); err == nil {
			t.Error("an answer over a frozen link")
		}
		link.Cut() // releases who waits
	})
}
