// Package file has the FileStream connectors of Kafka Connect: [Source] makes records of the lines of a text file,
// [Sink] makes lines of records.
//
// They are good for trying things out, and for pipelines that end in a file. They can read and write every file that
// the process can, so a runtime has them only where they were added on purpose:
//
//	registry.MustAdd(file.Plugins()...)
package file

import "github.com/gokconnect/connect"

// Version is the version of Kafka Connect whose connectors these are.
const Version = "4.3.0"

// The names of the connectors in configurations; FileStreamSource and FileStreamSink are their short ones.
const (
	SourceClass = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	SinkClass   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// Plugins returns the descriptors of both connectors. Sources of one call share standard input, so that a connector
// that is restarted goes on where it was.
func Plugins() []connect.Plugin {
	stdin := new(stdin)
	return []connect.Plugin{
		connect.SourcePlugin{
			PluginInfo: connect.PluginInfo{Class: SourceClass, Version: Version, Config: new(Source).ConfigDef()},
			New:        func() connect.SourceConnector { return &Source{shared: stdin} },
		},
		connect.SinkPlugin{
			PluginInfo: connect.PluginInfo{Class: SinkClass, Version: Version, Config: new(Sink).ConfigDef()},
			New:        func() connect.SinkConnector { return new(Sink) },
		},
	}
}
