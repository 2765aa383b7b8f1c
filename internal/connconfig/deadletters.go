package connconfig

import (
	"errors"
	"slices"

	"github.com/gokconnect/connect"
)

// DeadLettersKey names the topic of a connector's dead letters.
const DeadLettersKey = dlqTopicKey

// DeadLetters is where the records of a connector go that it gives up.
type DeadLetters struct {
	Topic             string // "" is none
	ReplicationFactor int16
	ContextHeaders    bool
}

// DeadLetters returns where the records of the sink go that it gives up.
func (c *SinkConfig) DeadLetters() DeadLetters {
	return DeadLetters{c.DLQTopic, c.DLQReplicationFactor, c.DLQContextHeaders}
}

// SourceDeadLetters returns where the records of a source connector go that it gives up. Its keys are those of sinks; they
// are no part of a source's definition, since Kafka Connect's sources don't have them. The error is a
// *[connect.ConfigError] about the first problem.
func SourceDeadLetters(cfg connect.Config) (DeadLetters, error) {
	if !HasDLQ(cfg) {
		return DeadLetters{}, nil // the other keys are of no use, as they were before
	}
	p, err := sourceDeadLettersDef().ParseValues(values(cfg))
	if err != nil {
		return DeadLetters{}, err
	}
	return DeadLetters{p.String(dlqTopicKey), int16(p.Int(dlqReplicationKey)), p.Bool(dlqHeadersKey)}, nil
}

func sourceDeadLettersDef() *connect.ConfigDef {
	keys := slices.DeleteFunc(sinkKeys(), func(k connect.ConfigKey) bool {
		return k.Name != dlqTopicKey && k.Name != dlqReplicationKey && k.Name != dlqHeadersKey
	})
	return connect.MustConfigDef(keys...)
}

// addSourceDeadLetters adds what is wrong with the dead letters of a source's configuration.
func (r *Result) addSourceDeadLetters(cfg connect.Config) {
	var wrong *connect.ConfigError
	if _, err := SourceDeadLetters(cfg); errors.As(err, &wrong) {
		value := cfg[wrong.Key]
		r.Configs = append(r.Configs, Config{Value: &Value{Name: wrong.Key, Value: &value, Recommended: []string{}, Errors: []string{wrong.Message}, Visible: true}})
		r.ErrorCount++
	}
}
