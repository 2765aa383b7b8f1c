package offsets

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/offsetcodec"
)

// PerConnector is the [Store] of a connector with an offsets topic of its own (offsets.storage.topic) beside that of the
// worker.
//
// It reads the connector's own store, and for a partition that has no offset there the worker's, which is how a connector
// takes its offsets along when it is given a topic of its own. It writes to its own store, and then, without
// waiting and without failing, to the worker's, so that the connector can go back. Removals are written to the worker's
// store first: a removal that got only half the way must not bring an old offset back.
type PerConnector struct {
	// Own is the connector's store. It is started and closed with the PerConnector.
	Own Store
	// Worker is the worker's store, which is started and closed by its owner.
	Worker Store
	// Mask hides the worker's offsets whenever the connector's store is asked, as Kafka Connect does: a partition that
	// has no offset of its own has none. List shows them all the same.
	Mask bool
	// OnError is told when the copy in the worker's store could not be written. It may be called concurrently. Nil
	// ignores that.
	OnError func(error)

	mu      sync.Mutex
	copies  map[string]map[string]connect.PartitionOffset // to write to the worker's store: by connector and partition
	copying chan struct{}                                 // closed when the goroutine that writes them has ended; nil when there is none
	closed  bool
	cancel  context.CancelFunc
}

// Start implements [Starter].
func (p *PerConnector) Start(ctx context.Context) error { return Start(ctx, p.Own) }

// Close implements [io.Closer]. It gives up copies that are not yet written.
func (p *PerConnector) Close() error {
	p.mu.Lock()
	p.closed = true
	copying := p.copying
	if p.cancel != nil {
		p.cancel()
	}
	p.mu.Unlock()
	if copying != nil {
		<-copying
	}
	return Close(p.Own)
}

// Flush waits until all copies in the worker's store are written, or have failed.
func (p *PerConnector) Flush(ctx context.Context) error {
	p.mu.Lock()
	copying := p.copying
	p.mu.Unlock()
	if copying == nil {
		return nil
	}
	select {
	case <-copying:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Get implements [Store].
func (p *PerConnector) Get(ctx context.Context, connector string, partitions []connect.Fields) ([]connect.Fields, error) {
	found, err := p.Own.Get(ctx, connector, partitions)
	if err != nil || p.Mask {
		return found, err
	}
	var missing []int
	var asked []connect.Fields
	for i, offset := range found {
		if offset == nil {
			missing = append(missing, i)
			asked = append(asked, partitions[i])
		}
	}
	if missing == nil {
		return found, nil
	}
	fallback, err := p.Worker.Get(ctx, connector, asked)
	if err != nil {
		return nil, err
	}
	for i, at := range missing {
		found[at] = fallback[i]
	}
	return found, nil
}

// List implements [Store].
func (p *PerConnector) List(ctx context.Context, connector string) ([]connect.PartitionOffset, error) {
	found, err := p.Own.List(ctx, connector)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, e := range found {
		name, err := offsetcodec.Canonical(e.Partition)
		if err != nil {
			return nil, err
		}
		known[name] = true
	}
	others, err := p.Worker.List(ctx, connector)
	if err != nil {
		return nil, err
	}
	for _, e := range others {
		name, err := offsetcodec.Canonical(e.Partition)
		if err != nil {
			return nil, err
		}
		if !known[name] {
			found = append(found, e)
		}
	}
	return found, nil
}

// Set implements [Store].
func (p *PerConnector) Set(ctx context.Context, connector string, entries []connect.PartitionOffset) error {
	if err := p.Prepare(ctx, connector, entries); err != nil {
		return err
	}
	if err := p.Own.Set(ctx, connector, entries); err != nil {
		return err
	}
	p.Committed(ctx, connector, entries)
	return nil
}

// Prepare is the first step of Set, for one who then writes the offsets to the connector's own store himself, in a
// transaction: it takes what is removed out of the worker's store. Nothing may be written if it fails.
func (p *PerConnector) Prepare(ctx context.Context, connector string, entries []connect.PartitionOffset) error {
	var removals []connect.PartitionOffset
	for _, e := range entries {
		if err := validate(e); err != nil {
			return err
		}
		if e.Offset == nil {
			removals = append(removals, e)
		}
	}
	if removals == nil {
		return nil
	}
	if err := p.Flush(ctx); err != nil { // a copy must not come after its removal
		return err
	}
	return p.Worker.Set(ctx, connector, removals)
}

// Committed is the last step of Set: the offsets are in the connector's own store, and are copied to the worker's in the
// background. The end of ctx does not end that.
func (p *PerConnector) Committed(ctx context.Context, connector string, entries []connect.PartitionOffset) {
	if copies := toCopy(entries); copies != nil {
		p.copy(context.WithoutCancel(ctx), connector, copies)
	}
}

// toCopy returns the entries that are to be copied: those with an offset, unless a later one removes it again.
func toCopy(entries []connect.PartitionOffset) []connect.PartitionOffset {
	var copies []connect.PartitionOffset
	removed := make(map[string]bool)
	for _, e := range slices.Backward(entries) {
		if e.Offset == nil {
			name, _ := offsetcodec.Canonical(e.Partition) // it was stored, so it has one
			removed[name] = true
			continue
		}
		if len(removed) > 0 {
			if name, _ := offsetcodec.Canonical(e.Partition); removed[name] {
				continue
			}
		}
		copies = append(copies, e)
	}
	slices.Reverse(copies)
	return copies
}

func validate(e connect.PartitionOffset) error {
	if err := Validate(e.Partition); err != nil {
		return err
	}
	return Validate(e.Offset)
}

// copy has the entries written to the worker's store by a goroutine that ends when all are. Of several that wait for
// one partition only the last is written.
func (p *PerConnector) copy(ctx context.Context, connector string, entries []connect.PartitionOffset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.copies == nil {
		p.copies = map[string]map[string]connect.PartitionOffset{}
	}
	waiting := p.copies[connector]
	if waiting == nil {
		waiting = map[string]connect.PartitionOffset{}
		p.copies[connector] = waiting
	}
	for _, e := range entries {
		if name, err := offsetcodec.Canonical(e.Partition); err == nil { // Set has validated it
			waiting[name] = connect.PartitionOffset{Partition: offsetcodec.Clone(e.Partition), Offset: offsetcodec.Clone(e.Offset)}
		}
	}
	if p.copying != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	p.copying, p.cancel = done, cancel
	go func() {
		defer cancel()
		for p.copyNext(ctx, done) {
		}
	}()
}

// copyNext writes the copies of one connector. It returns false, and says so by closing done, when there are none left.
func (p *PerConnector) copyNext(ctx context.Context, done chan struct{}) bool {
	p.mu.Lock()
	if len(p.copies) == 0 || ctx.Err() != nil {
		p.copies, p.copying, p.cancel = nil, nil, nil
		close(done)
		p.mu.Unlock()
		return false
	}
	var connector string
	var entries []connect.PartitionOffset
	for name, waiting := range p.copies {
		connector, entries = name, slices.Collect(maps.Values(waiting))
		delete(p.copies, name)
		break
	}
	p.mu.Unlock()
	if err := p.Worker.Set(ctx, connector, entries); err != nil && p.OnError != nil {
		p.OnError(err)
	}
	return true
}
