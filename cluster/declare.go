package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

// Source declares a source connector that is a Go value. Only Name and Connector are required.
type Source struct {
	Name      string
	Connector connect.SourceConnector
	// Topic is what records that name none go to, and is given to the connector as the key "topic" if Config has none.
	Topic string
	// Tasks is how many tasks there are at most (tasks.max). Default: 1.
	Tasks int
	// Transforms are applied in order to each record, after those that Config names. All tasks use the same values, at
	// the same time, and none closes them: give each task its own by naming them in Config.
	Transforms []connect.Transformation
	// Key, Value and Header are the converters. Default: what Config names, or the runtime's. All tasks use the same
	// values, at the same time, and none closes them; those of this module can be used so.
	Key, Value connect.Converter
	Header     connect.HeaderConverter
	// Create says how topics are made that do not exist. Default: as the broker's configuration says. Config may have
	// topic.creation keys in its place.
	Create TopicSettings
	// DeadLetters is the topic for records that a transformation, a converter or Kafka refuses, made and used as in [Sink].
	// docs/errors.md says what stands in it.
	DeadLetters string
	// Throttle bounds what the connector moves. Default: no limit, or what Config says.
	Throttle Throttle
	// Config is the connector's own configuration, and every other key that Kafka Connect knows for a connector.
	Config connect.Config
}

// Sink declares a sink connector that is a Go value. Name, Connector, and Topics or Regex are required.
type Sink struct {
	Name      string
	Connector connect.SinkConnector
	// Topics are the topics to consume; Regex is a (Java) regular expression for their names in its place.
	Topics []string
	Regex  string
	// Tasks is how many tasks there are at most (tasks.max). Default: 1.
	Tasks int
	// Transforms, Key, Value and Header are as in [Source].
	Transforms []connect.Transformation
	Key, Value connect.Converter
	Header     connect.HeaderConverter
	// DeadLetters is the topic for records that fail. With it records that fail are skipped (errors.tolerance=all)
	// unless Config says otherwise. The topic is created with 3 replicas, as in Kafka Connect, and tasks fail where that is
	// impossible: errors.deadletterqueue.topic.replication.factor in Config says how many.
	DeadLetters string
	// Throttle bounds what the connector moves. Default: no limit, or what Config says.
	Throttle Throttle
	// Config is the connector's own configuration, and every other key that Kafka Connect knows for a connector.
	Config connect.Config
}

// TopicSettings says how a topic is made.
type TopicSettings struct {
	Partitions        int32             // 0: as the broker's configuration says
	ReplicationFactor int16             // 0: as the broker's configuration says
	Config            map[string]string // such as retention.ms
}

// Throttle is how much a connector may move in a second, with all its tasks; each gets an equal part. 0 is no limit.
type Throttle struct {
	RecordsPerSecond float64 // throttle.records.per.second
	BytesPerSecond   float64 // throttle.bytes.per.second: keys, values and headers as they are in Kafka, uncompressed
}

func (t Throttle) addTo(cfg connect.Config) {
	if t.RecordsPerSecond != 0 {
		cfg[connconfig.ThrottleRecordsKey] = strconv.FormatFloat(t.RecordsPerSecond, 'f', -1, 64)
	}
	if t.BytesPerSecond != 0 {
		cfg[connconfig.ThrottleBytesKey] = strconv.FormatFloat(t.BytesPerSecond, 'f', -1, 64)
	}
}

// Configured declares a connector by a configuration that names a plugin, as [Runtime.PutConnector] creates it. Both are
// required, and Config needs the key connector.class.
type Configured struct {
	Name   string
	Config connect.Config
}

// Declaration is a [Source], a [Sink] or a [Configured].
type Declaration interface {
	declare() (*declared, error)
}

// declared is a connector that was declared in Go code.
type declared struct {
	name       string
	source     connect.SourceConnector // or
	sink       connect.SinkConnector
	topic      string
	steps      []connect.Transformation
	key, value connect.Converter
	header     connect.HeaderConverter
	config     connect.Config
}

// declaredClass is the connector.class of a declared connector, in front of its name.
const declaredClass = "go:"

func (s Source) declare() (*declared, error) {
	d := &declared{name: s.Name, source: s.Connector, topic: s.Topic, steps: s.Transforms, key: s.Key, value: s.Value, header: s.Header}
	if s.Connector == nil {
		return nil, fmt.Errorf("source %q has no Connector", s.Name)
	}
	cfg, err := d.base(s.Tasks, s.Config)
	if err != nil {
		return nil, err
	}
	s.Throttle.addTo(cfg)
	addDeadLetters(cfg, s.DeadLetters)
	if s.Topic != "" && cfg["topic"] == "" {
		cfg["topic"] = s.Topic
	}
	if !hasPrefix(cfg, "topic.creation.") {
		cfg["topic.creation.default.partitions"] = orMinusOne(int64(s.Create.Partitions))
		cfg["topic.creation.default.replication.factor"] = orMinusOne(int64(s.Create.ReplicationFactor))
		for k, v := range s.Create.Config {
			cfg["topic.creation.default."+k] = v
		}
	}
	return d, nil
}

func (s Sink) declare() (*declared, error) {
	d := &declared{name: s.Name, sink: s.Connector, steps: s.Transforms, key: s.Key, value: s.Value, header: s.Header}
	if s.Connector == nil {
		return nil, fmt.Errorf("sink %q has no Connector", s.Name)
	}
	cfg, err := d.base(s.Tasks, s.Config)
	if err != nil {
		return nil, err
	}
	s.Throttle.addTo(cfg)
	if len(s.Topics) > 0 {
		cfg["topics"] = strings.Join(s.Topics, ",")
	}
	if s.Regex != "" {
		cfg["topics.regex"] = s.Regex
	}
	if cfg["topics"] == "" && cfg["topics.regex"] == "" {
		return nil, fmt.Errorf("sink %q has neither Topics nor Regex", s.Name)
	}
	addDeadLetters(cfg, s.DeadLetters)
	return d, nil
}

func addDeadLetters(cfg connect.Config, topic string) {
	if topic == "" {
		return
	}
	cfg[connconfig.DeadLettersKey] = topic
	if cfg["errors.tolerance"] == "" {
		cfg["errors.tolerance"] = "all"
	}
}

func (c Configured) declare() (*declared, error) {
	if c.Config["connector.class"] == "" {
		return nil, fmt.Errorf("connector %q has no connector.class in its Config", c.Name)
	}
	d := &declared{name: c.Name}
	if _, err := d.base(0, c.Config); err != nil {
		return nil, err
	}
	d.config["connector.class"] = c.Config["connector.class"]
	return d, nil
}

func (d *declared) base(tasks int, cfg connect.Config) (connect.Config, error) {
	if d.name == "" {
		return nil, fmt.Errorf("a declared connector has no Name")
	}
	if slices.Contains(d.steps, nil) {
		return nil, fmt.Errorf("connector %q has a Transformation that is nil", d.name)
	}
	d.config = maps.Clone(cfg)
	if d.config == nil {
		d.config = connect.Config{}
	}
	d.config["name"] = d.name
	d.config["connector.class"] = declaredClass + d.name
	if tasks > 0 {
		d.config["tasks.max"] = strconv.Itoa(tasks)
	}
	return d.config, nil
}

func hasPrefix(cfg connect.Config, prefix string) bool {
	for k := range cfg {
		if strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}

func orMinusOne(n int64) string {
	if n <= 0 {
		return "-1"
	}
	return strconv.FormatInt(n, 10)
}

// plugin describes the declared connector as if it were a plugin.
func (d *declared) plugin() connect.Plugin {
	info := connect.PluginInfo{Class: declaredClass + d.name, Version: "unknown", Hidden: true}
	var v any = d.source
	if d.sink != nil {
		v = d.sink
	}
	if def, ok := connect.As[connect.Defined](v); ok {
		info.Config = def.ConfigDef()
	}
	if version, ok := connect.As[connect.Versioned](v); ok {
		info.Version = version.Version()
	}
	if d.sink != nil {
		return connect.SinkPlugin{PluginInfo: info, New: func() connect.SinkConnector { return d.sink }}
	}
	return connect.SourcePlugin{PluginInfo: info, New: func() connect.SourceConnector { return d.source }}
}
