package mirror

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// recordPool keeps the memory of fetched records, of which a task needs what they refer to, but not themselves: they are recycled
// as soon as they were converted. The client calls it.
type recordPool struct{ pool sync.Pool }

// GetRecords returns memory for n records.
func (p *recordPool) GetRecords(n int) []kgo.Record {
	if r, ok := p.pool.Get().(*[]kgo.Record); ok && cap(*r) >= n {
		return *r
	}
	return make([]kgo.Record, n)
}

// PutRecords takes memory back.
func (p *recordPool) PutRecords(r []kgo.Record) { p.pool.Put(&r) }
