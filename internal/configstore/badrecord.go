package configstore

// BadRecord is a record of the config topic that can't be used. The state is as before, except that the record may
// count as read.
type BadRecord struct {
	Key     string
	Message string
	// Effect is what such a record does to a worker of Kafka Connect.
	Effect Effect
}

// Effect is what a bad record does to a worker of Kafka Connect.
type Effect int

const (
	// Skipped is a record that is skipped alone.
	Skipped Effect = iota
	// LosesBatch is a record with which the rest of what was fetched with it is lost.
	LosesBatch
	// StopsReader is a record that also keeps a worker from starting.
	StopsReader
)

func (e *BadRecord) Error() string { return e.Message }
