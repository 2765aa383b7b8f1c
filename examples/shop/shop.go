// Package shop is the code that the README and the guides show, so that it compiles and does what they say.
package shop

import (
	"context"
	"iter"
	"log/slog"
	"regexp"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// DB is the shop's database.
type DB interface {
	// Tenants returns who sells in the shop.
	Tenants(ctx context.Context) ([]Tenant, error)
	// Orders returns the orders of a tenant from a row on, and then waits for new ones until ctx ends.
	Orders(ctx context.Context, t Tenant, row int64) iter.Seq2[Order, error]
}

// Tenant is a part of the source. Tenants are spread over tasks.
type Tenant struct{ ID string }

// Cursor is where to go on in the orders of a tenant.
type Cursor struct{ Row int64 }

// Order is a row of the database.
type Order struct {
	Row  int64
	JSON string
}

// Orders is a source: the orders of each tenant, from where the last run stopped.
func Orders(db DB) connect.SourceConnector {
	return &connect.Partitioned[Tenant, Cursor]{
		Partitions: db.Tenants,
		Read: func(ctx context.Context, t Tenant, from *Cursor) iter.Seq2[connect.Emit[Cursor], error] {
			return func(yield func(connect.Emit[Cursor], error) bool) {
				if from == nil {
					from = new(Cursor) // the first run
				}
				for order, err := range db.Orders(ctx, t, from.Row) {
					r := connect.Record{Key: t.ID, Value: order.JSON}
					if !yield(connect.Emit[Cursor]{Record: r, Offset: Cursor{order.Row + 1}}, err) {
						return
					}
				}
			}
		},
	}
}

// MaskCards is a transformation.
var MaskCards = connect.TransformFunc(func(_ context.Context, r *connect.Record) (*connect.Record, error) {
	if text, ok := r.Value.(string); ok {
		r.Value = cardNumber.ReplaceAllString(text, "****")
	}
	return r, nil // nil, nil would drop the record
})

var cardNumber = regexp.MustCompile(`\b\d{4}-\d{4}-\d{4}-\d{4}\b`)

// Audit is a sink.
func Audit(log *slog.Logger) connect.SinkConnector {
	return connect.SinkFunc(func(ctx context.Context, records []connect.SinkRecord) error {
		for _, r := range records {
			log.InfoContext(ctx, "order", "tenant", r.Key, "order", r.Value, "from", r.Origin, "offset", r.Offset)
		}
		return nil
	})
}

// Run carries orders to Kafka and from there to the audit log, until ctx ends.
func Run(ctx context.Context, brokers []string, db DB, log *slog.Logger) error {
	rt, err := cluster.New(cluster.Config{Brokers: brokers, GroupID: "shop", Logger: log})
	if err != nil {
		return err
	}
	err = rt.Add(
		cluster.Source{Name: "orders", Connector: Orders(db), Topic: "orders", Tasks: 4},
		cluster.Sink{Name: "audit", Connector: Audit(log), Topics: []string{"orders"}, Transforms: []connect.Transformation{MaskCards}},
	)
	if err != nil {
		return err
	}
	return rt.Run(ctx)
}
