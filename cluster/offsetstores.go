package cluster

import (
	"context"
	"fmt"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/clients"
	"github.com/gokconnect/connect/offsets"
)

// ownStores are the stores of connectors that have an offsets topic of their own: one for each connector and topic,
// shared by the connector, its tasks and requests about its offsets.
type ownStores struct {
	mu     sync.Mutex // not held while a store is started or closed
	stores map[string]*ownStore
}

type ownStore struct {
	ready   chan struct{} // closed when the store was started, or failed to
	store   offsets.Store
	err     error
	givenUp bool // by the user that was starting it, whose context ended
	users   int  // guarded by ownStores.mu
}

// offsetsOf returns the store of a source connector's offsets, and what gives it back.
func (k *kafka) offsetsOf(ctx context.Context, name string, connector connect.Config) (offsets.Store, func(), error) {
	producer := k.props.Producer(connector, clients.ConnectorProducerID(name))
	where, err := k.props.OffsetStores(connector, producer, k.props.ExactlyOnce())
	if err != nil {
		return nil, nil, err
	}
	if !where.Connector || k.rt.cfg.Offsets != nil || !where.Worker && k.props.ExactlyOnce() {
		// A standalone worker, a store of the application, or, for tasks that write offsets themselves, the worker's topic:
		// one for all.
		return k.offsets, func() {}, nil
	}
	key := name + "\x00" + where.Topic + "\x00" + producer["bootstrap.servers"]
	store, release, err := k.shareOwn(ctx, key, func() (offsets.Store, error) { return k.openOwn(ctx, name, connector, where) })
	if err != nil {
		return nil, nil, fmt.Errorf("offsets topic %s of connector %q: %w", where.Topic, name, err)
	}
	return store, release, nil
}

// shareOwn returns the store of a key, which open makes if there is none, and what gives it back.
func (k *kafka) shareOwn(ctx context.Context, key string, open func() (offsets.Store, error)) (offsets.Store, func(), error) {
	for {
		s := k.joinOwn(ctx, key, open)
		release := sync.OnceFunc(func() { k.leaveOwn(key, s) })
		select {
		case <-s.ready:
		case <-ctx.Done():
			release()
			return nil, nil, context.Cause(ctx)
		}
		if s.err == nil {
			return s.store, release, nil
		}
		release()
		if !s.givenUp || ctx.Err() != nil {
			return nil, nil, s.err
		}
		// Another user gave up, not this one.
	}
}

// joinOwn returns the store of a key, which open makes if there is none, with one user more.
func (k *kafka) joinOwn(ctx context.Context, key string, open func() (offsets.Store, error)) *ownStore {
	o := &k.own
	o.mu.Lock()
	s, ok := o.stores[key]
	if !ok {
		s = &ownStore{ready: make(chan struct{})}
		if o.stores == nil {
			o.stores = make(map[string]*ownStore)
		}
		o.stores[key] = s
	}
	s.users++
	o.mu.Unlock()
	if ok {
		return s
	}
	if s.store, s.err = open(); s.err != nil {
		s.givenUp = ctx.Err() != nil
		o.mu.Lock()
		delete(o.stores, key) // the next user tries anew
		o.mu.Unlock()
	}
	close(s.ready)
	return s
}

func (k *kafka) leaveOwn(key string, s *ownStore) {
	o := &k.own
	o.mu.Lock()
	s.users--
	last := s.users == 0
	if last && o.stores[key] == s {
		delete(o.stores, key)
	}
	o.mu.Unlock()
	if !last {
		return
	}
	<-s.ready
	if s.store != nil {
		if p, ok := s.store.(*offsets.PerConnector); ok {
			ctx, cancel := context.WithTimeout(context.Background(), k.rt.settings.OffsetFlushTimeout)
			if err := p.Flush(ctx); err != nil {
				k.rt.log.Warn("offsets were not copied to the worker's topic", "err", err)
			}
			cancel()
		}
		if err := offsets.Close(s.store); err != nil {
			k.rt.log.Error("offset store could not be closed", "err", err)
		}
	}
}

func (k *kafka) openOwn(ctx context.Context, name string, connector connect.Config, where clients.OffsetStores) (offsets.Store, error) {
	props, warning := k.props.OffsetsConsumer(connector, name, clients.ConnectorConsumerID(name), k.props.ExactlyOnce())
	if warning != "" {
		k.rt.log.Warn(warning, "connector", name)
	}
	reader, _, warnings, err := k.options.Consumer(props)
	if err != nil {
		return nil, err
	}
	k.warn(warnings, "connector", name)
	topic := k.rt.settings.OffsetTopic
	trouble := func(err error) {
		k.rt.log.Error("trouble with the connector's offsets topic", "connector", name, "topic", where.Topic, "err", err)
	}
	var store offsets.Store = offsets.NewKafka(offsets.KafkaConfig{
		Topic: where.Topic, Client: reader, Settings: topic.Settings, Partitions: topic.Partitions,
		ReplicationFactor: k.replication(ctx, topic.ReplicationFactor), ReadCommitted: true,
		Property: "offsets.storage.topic", OnError: trouble,
	})
	if where.Worker {
		store = &offsets.PerConnector{Own: store, Worker: k.offsets, Mask: k.rt.cfg.javaDefaults, OnError: trouble}
	}
	if err := offsets.Start(ctx, store); err != nil {
		return nil, err
	}
	return store, nil
}
