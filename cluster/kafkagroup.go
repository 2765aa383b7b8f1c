package cluster

import (
	"context"

	"github.com/gokconnect/connect/internal/group"
)

// kafkaGroup is the [Coordinator] of instances that are members of one Kafka group.
type kafkaGroup struct{ *group.Coordinator }

func (k kafkaGroup) Run(ctx context.Context, m Member) error {
	return k.Coordinator.Run(ctx, kafkaMember{m})
}

// kafkaMember is a [Member] in the words of package group.
type kafkaMember struct{ m Member }

func (k kafkaMember) Protocols(ctx context.Context) ([]group.Offer, error) {
	protocols, err := k.m.Protocols(ctx)
	out := make([]group.Offer, len(protocols))
	for i, p := range protocols {
		out[i] = group.Offer(p)
	}
	return out, err
}

func (k kafkaMember) Assign(ctx context.Context, r group.Round) (map[string][]byte, error) {
	return k.m.Assign(ctx, Round(r))
}

func (k kafkaMember) Assigned(ctx context.Context, g group.Generation, assignment []byte) error {
	return k.m.Assigned(ctx, Generation(g), assignment)
}

func (k kafkaMember) Lost() { k.m.Lost() }
