package mirror

import (
	"context"
	"errors"

	"github.com/gokconnect/connect"
)

type (
	checkpointConnector struct{ env *environment }
	heartbeatConnector  struct{ env *environment }
)

var errUnfinished = errors.New("the connectors of MirrorMaker can be configured and validated, but don't run yet")

func (*checkpointConnector) Start(context.Context, connect.ConnectorContext, connect.Config) error {
	return errUnfinished
}
func (*checkpointConnector) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return nil, errUnfinished
}
func (*checkpointConnector) Stop(context.Context) error  { return nil }
func (*checkpointConnector) NewTask() connect.SourceTask { return nil }

func (*heartbeatConnector) Start(context.Context, connect.ConnectorContext, connect.Config) error {
	return errUnfinished
}
func (*heartbeatConnector) TaskConfigs(context.Context, int) ([]connect.Config, error) {
	return nil, errUnfinished
}
func (*heartbeatConnector) Stop(context.Context) error  { return nil }
func (*heartbeatConnector) NewTask() connect.SourceTask { return nil }
