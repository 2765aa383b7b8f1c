package mirror

import (
	"log/slog"
	"strings"
)

// partitionNames are partitions for the log.
type partitionNames []*partition

// LogValue makes them text, if the line is written.
func (p partitionNames) LogValue() slog.Value {
	names := make([]string, len(p))
	for i := range p {
		names[i] = p[i].String()
	}
	return slog.StringValue(strings.Join(names, ", "))
}
