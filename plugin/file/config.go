package file

import (
	"github.com/gokconnect/connect"
)

// ConfigDef returns the definition of the keys file, topic and batch.size. A field that is set is the key's default.
func (s *Source) ConfigDef() *connect.ConfigDef {
	file := connect.ConfigKey{Name: fileKey, Type: connect.ConfigString, Importance: connect.High,
		Documentation: "Source filename. If not specified, the standard input will be used"}
	if s.Path != "" {
		file.Default = s.Path
	}
	topic := connect.ConfigKey{Name: topicKey, Type: connect.ConfigString, Importance: connect.High, Default: connect.Required,
		Validator: connect.NonEmptyString(), Documentation: "The topic to publish data to"}
	if s.Topic != "" {
		topic.Default = s.Topic
	}
	size := connect.ConfigKey{Name: batchSizeKey, Type: connect.ConfigInt, Importance: connect.Low, Default: defaultBatchSize,
		Documentation: "The maximum number of records the source task can read from the file each time it is polled"}
	if s.BatchSize > 0 {
		size.Default = s.BatchSize
	}
	return connect.MustConfigDef(file, topic, size)
}

// ConfigDef returns the definition of the key file. A field that is set is the key's default.
func (s *Sink) ConfigDef() *connect.ConfigDef {
	file := connect.ConfigKey{Name: fileKey, Type: connect.ConfigString, Importance: connect.High,
		Documentation: "Destination filename. If not specified, the standard output will be used"}
	if s.Path != "" {
		file.Default = s.Path
	}
	return connect.MustConfigDef(file)
}
