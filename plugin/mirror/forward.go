package mirror

import (
	"context"
	"fmt"
	"reflect"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admin makes and changes what connectors need in a cluster, for programs whose clusters let nobody do so but a service of
// theirs: what forwarding.admin.class is with Kafka Connect. Each request that makes or changes topics, settings or access
// rules is given to Request, and nothing else is:
//
//   - *[kmsg.CreateTopicsRequest]: remote topics on the target, and MirrorMaker's own topics;
//   - *[kmsg.CreatePartitionsRequest]: partitions of remote topics;
//   - *[kmsg.IncrementalAlterConfigsRequest]: settings of remote topics;
//   - *[kmsg.CreateACLsRequest]: access rules of remote topics.
//
// Request may change it and send it on with the client that the Admin was made with, have somebody else do what it says, or do
// nothing. It returns the response that the brokers would give, which for a request is made by its ResponseKind method and has
// an entry for each of its items; an error code in an entry is logged with its item, and the request made again with the next
// refresh. An error fails all items: to refuse one, give its entry an error code, such as that of kerr.PolicyViolation. Request is called on goroutines of the connector, one call at a time for each of its jobs, and
// has to return when ctx ends, which it does after admin.timeout.ms.
type Admin interface {
	Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error)
}

// MakeAdmin makes an [Admin] for a cluster of a connector: cfg is the connector's whole configuration, and client the
// connector's own of that cluster, which is closed when the connector stops. It is called when a connector starts.
type MakeAdmin func(cfg connect.Config, side Side, client *kgo.Client) (Admin, error)

// changes returns what makes and changes things in a cluster.
func (c *Config) changes(side Side, cl *kgo.Client) (kmsg.Requestor, error) {
	class := c.parsed.String(forwardingAdminKey)
	make, ok := c.env.Admins[class]
	if !ok {
		return cl, nil
	}
	own, err := madeBy(forwardingAdminKey, class, c.given, func(cfg connect.Config) (Admin, error) { return make(cfg, side, cl) })
	if err == nil && own == nil {
		err = &connect.ConfigError{Key: forwardingAdminKey, Message: "Invalid value " + class + " for configuration " + forwardingAdminKey + ": it made nothing"}
	}
	if err != nil {
		return nil, err
	}
	return forwarding{class, own}, nil
}

// forwarding is an [Admin] of the program's that may be wrong.
type forwarding struct {
	class string
	Admin
}

func (f forwarding) Request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	resp, err := f.Admin.Request(ctx, req)
	if err == nil && reflect.TypeOf(resp) != reflect.TypeOf(req.ResponseKind()) {
		return nil, fmt.Errorf("%s %s answered a %T with a %T", forwardingAdminKey, f.class, req, resp)
	}
	return resp, err
}
