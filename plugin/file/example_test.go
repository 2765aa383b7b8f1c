package file_test

import (
	"fmt"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/file"
)

func ExamplePlugins() {
	var registry connect.Registry
	registry.MustAdd(file.Plugins()...)

	p, ok := registry.Source("FileStreamSource")
	fmt.Println(p.Class, p.Version, ok)
	for _, key := range p.Config.Keys() {
		fmt.Println(key.Name, key.Type)
	}
	// Output:
	// org.apache.kafka.connect.file.FileStreamSourceConnector 4.3.0 true
	// file STRING
	// topic STRING
	// batch.size INT
}

func ExampleSource() {
	lines := &file.Source{Path: "access.log", Topic: "access"}
	support, _ := lines.ExactlyOnceSupport(nil)
	fmt.Println(support == connect.ExactlyOnceSupported)
	// Output: true
}
