package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/mirror"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ownAdmin is an Admin that keeps account, gives topics a setting of its own, and may refuse.
type ownAdmin struct {
	side   mirror.Side
	client *kgo.Client
	refuse func(kmsg.Request) (kmsg.Response, error) // or nil

	mu  *sync.Mutex
	did *[]string
}

func (a *ownAdmin) Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuse != nil {
		if resp, err := a.refuse(req); resp != nil || err != nil {
			return resp, err
		}
	}
	what := fmt.Sprintf("%s: %T", a.side, req)
	if create, ok := req.(*kmsg.CreateTopicsRequest); ok {
		for i := range create.Topics {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = "max.message.bytes", kmsg.StringPtr("7777")
			create.Topics[i].Configs = append(create.Topics[i].Configs, c)
			what += " " + create.Topics[i].Topic
		}
	}
	*a.did = append(*a.did, strings.ReplaceAll(what, "*kmsg.", ""))
	return a.client.Request(ctx, req)
}

// withAdmin makes a pair whose connectors' forwarding.admin.class own is the Admin that is returned of each connector.
func withAdmin(p *pair, refuse func(kmsg.Request) (kmsg.Response, error)) (mirror.Options, func() []string) {
	var mu sync.Mutex
	var did []string
	o := p.options()
	o.Admins = map[string]mirror.MakeAdmin{"own": func(cfg connect.Config, side mirror.Side, cl *kgo.Client) (mirror.Admin, error) {
		if cfg["bad"] != "" {
			return nil, errors.New("there is no service")
		}
		return &ownAdmin{side, cl, refuse, &mu, &did}, nil
	}}
	return o, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(did)
	}
}

// TestOwnAdmin: what makes and changes topics and rules goes through the program's value, on either side.
func TestOwnAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		options, did := withAdmin(p, nil)
		p.opts = &options
		p.a.MustCreateTopic("t", 1)
		adm := kadm.NewClient(p.a.Client())
		rules := kadm.NewACLs().Topics("t").Allow("User:app").AllowHosts("*").Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)
		if _, err := adm.CreateACLs(t.Context(), rules); err != nil {
			t.Fatal(err)
		}
		own := []string{"forwarding.admin.class", "own", "topics", "t", "sync.topic.acls.interval.seconds", "2", "sync.topic.configs.interval.seconds", "2", "refresh.topics.interval.seconds", "2"}
		p.run(map[string]connect.Config{
			"source": p.config(mirror.SourceClass, own...), "checkpoint": p.config(mirror.CheckpointClass, own[:2]...), "heartbeat": p.config(mirror.HeartbeatClass, own[:2]...),
		})
		p.await("the topic", func() bool { return p.b.TopicInfo("A.t") != nil })
		if _, err := adm.UpdatePartitions(t.Context(), 2, "t"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"source: CreateTopicsRequest mm2-offset-syncs.B.internal", "target: CreateTopicsRequest A.t", "target: CreateTopicsRequest A.checkpoints.internal",
			"target: CreateTopicsRequest heartbeats", "target: CreatePartitionsRequest", "target: IncrementalAlterConfigsRequest", "target: CreateACLsRequest",
		} {
			p.await(want, func() bool { return slices.Contains(did(), want) })
		}
	})
}

// TestOwnAdminRefuses: a request that is refused, fails or is answered with something else is tried again, and logged.
func TestOwnAdminRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		n := 0
		options, _ := withAdmin(p, func(req kmsg.Request) (kmsg.Response, error) {
			create, ok := req.(*kmsg.CreateTopicsRequest)
			if !ok || create.Topics[0].Topic != "A.t" {
				return nil, nil
			}
			switch n++; n {
			case 1:
				return nil, errors.New("the service is closed")
			case 2:
				return new(kmsg.MetadataResponse), nil
			case 3:
				panic("at the disco")
			case 4:
				resp := create.ResponseKind().(*kmsg.CreateTopicsResponse)
				one := kmsg.NewCreateTopicsResponseTopic()
				one.Topic, one.ErrorCode, one.ErrorMessage = "A.t", kerr.PolicyViolation.Code, kmsg.StringPtr("not today")
				resp.Topics = append(resp.Topics, one)
				return resp, nil
			}
			return nil, nil
		})
		p.opts = &options
		p.a.MustCreateTopic("t", 1)
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "forwarding.admin.class", "own", "topics", "t", "refresh.topics.interval.seconds", "2")})
		p.await("the topic, with a setting of the program's", func() bool {
			i := p.b.TopicInfo("A.t")
			return i != nil && i.Configs["max.message.bytes"] != nil && *i.Configs["max.message.bytes"] == "7777"
		})
		for _, want := range []string{"the service is closed", "answered a *kmsg.CreateTopicsRequest with a *kmsg.MetadataResponse", "at the disco", "not today"} {
			if !p.logged(want) {
				t.Errorf("it was not logged: %s", want)
			}
		}
	})
}

// TestOwnAdminCantBeMade: the error names the key and the value.
func TestOwnAdminCantBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		options, _ := withAdmin(p, nil)
		p.opts = &options
		p.run(map[string]connect.Config{"source": p.config(mirror.SourceClass, "forwarding.admin.class", "own", "topics", "t", "bad", "x")})
		p.await("the error", func() bool {
			return p.logged("Invalid value own for configuration forwarding.admin.class: there is no service")
		})
	})
}
