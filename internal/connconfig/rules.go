package connconfig

import (
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// CheckSinkTopics checks the rules for a sink connector's topics that go beyond single keys: that it has either topics
// or topics.regex, and that its dead letters do not come back to it.
func CheckSinkTopics(cfg connect.Config) error {
	given := values(cfg)
	outcome := make(connect.ConfigValues)
	checkSink(given, outcome)
	for _, key := range [...]string{topicsKey, topicsRegexKey} {
		if value := outcome[key]; value != nil && len(value.Errors) > 0 {
			return connect.InvalidValue(key, given[key], value.Errors[0])
		}
	}
	return nil
}

// HasDLQ reports whether a sink connector's configuration names a topic for dead letters.
func HasDLQ(cfg connect.Config) bool { return !isBlank(cfg[dlqTopicKey]) }

// checkSink adds what is wrong with a sink's topics.
func checkSink(given map[string]any, values connect.ConfigValues) {
	text := func(key string) string {
		s, _ := given[key].(string)
		return s
	}
	list, regex, dlq := text(topicsKey), text(topicsRegexKey), strings.TrimSpace(text(dlqTopicKey))
	both := func(message string) {
		values.AddError(topicsKey, message)
		values.AddError(topicsRegexKey, message)
	}
	if !isBlank(list) && !isBlank(regex) {
		both("topics and topics.regex are mutually exclusive options, but both are set.")
	}
	if isBlank(list) && isBlank(regex) {
		both("Must configure one of topics or topics.regex")
	}
	if dlq == "" {
		return
	}
	topics := topicsOf(list)
	for _, topic := range topics {
		if topic == dlq {
			values.AddError(topicsKey, fmt.Sprintf(
				"The DLQ topic '%s' may not be included in the list of topics ('topics=[%s]') consumed by the connector", dlq, strings.Join(topics, ", ")))
		}
	}
	if isBlank(regex) {
		return
	}
	pattern, err := javaregexp.Compile(regex)
	if err != nil {
		return // the key's own validator says so
	}
	if matched, err := pattern.MatchFull(dlq); err != nil {
		values.AddError(topicsRegexKey, err.Error())
	} else if matched {
		values.AddError(topicsRegexKey, fmt.Sprintf(
			"The DLQ topic '%s' may not be matched by the regex for the topics ('topics.regex=%s') consumed by the connector", dlq, regex))
	}
}

// Topics returns the topics that a sink connector's configuration lists, each once. There are none if it has a regular
// expression in their place.
func Topics(cfg connect.Config) []string { return topicsOf(cfg[topicsKey]) }

// topicsOf returns the topics of a list, each once.
func topicsOf(list string) []string {
	aliases, _ := aliasesOf(topicsKey, map[string]any{topicsKey: list})
	topics := make([]string, 0, len(aliases))
	for _, topic := range aliases {
		if topic != "" {
			topics = append(topics, topic)
		}
	}
	return topics
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// checkGroup makes sure that a sink's consumers are not in the worker's group.
func (v *validation) checkGroup(values connect.ConfigValues) {
	if v.worker.GroupID == "" {
		return
	}
	const groupKey = "consumer.override.group.id"
	if group, ok := v.given[groupKey]; ok {
		if values[groupKey] == nil {
			values[groupKey] = &connect.ConfigValue{Name: groupKey, Value: group, Visible: true}
		}
		if group == v.worker.GroupID {
			values.AddError(groupKey, fmt.Sprintf("Consumer group %s conflicts with Connect worker group %s", group, v.worker.GroupID))
		}
		return
	}
	if name, ok := values[nameKey].Value.(string); ok && "connect-"+name == v.worker.GroupID {
		values.AddError(nameKey, fmt.Sprintf("Consumer group for sink connector named %s conflicts with Connect worker group %s", name, v.worker.GroupID))
	}
}

// checkExactlyOnce asks a source connector whether it can do what exactly.once.support=required asks for.
func (v *validation) checkExactlyOnce(values connect.ConfigValues) {
	if v.worker.GroupID == "" || len(values[exactlyOnceKey].Errors) > 0 || !strings.EqualFold(fmt.Sprint(values[exactlyOnceKey].Value), "required") {
		return
	}
	if !v.worker.ExactlyOnce {
		values.AddError(exactlyOnceKey, "This worker does not have exactly-once source support enabled.")
	}
	support := connect.ExactlyOnceUnknown
	if reporter, ok := connect.As[connect.ExactlyOnceReporter](v.connector); ok {
		var err error
		if support, err = reporter.ExactlyOnceSupport(v.text); err != nil {
			values.AddError(exactlyOnceKey, unexpected(err))
			return
		}
	}
	switch support {
	case connect.ExactlyOnceUnknown:
		values.AddError(exactlyOnceKey, "The connector does not implement the API required for preflight validation of exactly-once source support. "+
			"Please consult the documentation for the connector to determine whether it supports exactly-once semantics, and then consider "+
			"reconfiguring the connector to use the value \"requested\" for this property (which will disable this preflight check and allow the connector to be created).")
	case connect.ExactlyOnceUnsupported:
		values.AddError(exactlyOnceKey, "The connector does not support exactly-once semantics with the provided configuration.")
	}
}

// checkBoundary asks a source connector whether it can define the boundaries of transactions.
func (v *validation) checkBoundary(values connect.ConfigValues) {
	if v.worker.GroupID == "" || len(values[boundaryKey].Errors) > 0 || !strings.EqualFold(fmt.Sprint(values[boundaryKey].Value), "connector") {
		return
	}
	can := false
	if definer, ok := connect.As[connect.TransactionDefiner](v.connector); ok {
		var err error
		if can, err = definer.CanDefineTransactionBoundaries(v.text); err != nil {
			values.AddError(boundaryKey, unexpected(err))
			return
		}
	}
	if !can {
		values.AddError(boundaryKey, "The connector does not support connector-defined transaction boundaries with the given configuration. "+
			"Please reconfigure it to use a different transaction boundary definition.")
	}
}

func unexpected(err error) string {
	message := "An unexpected error occurred during validation"
	if text := strings.TrimSpace(err.Error()); text != "" {
		return message + ": " + text
	}
	return message + "; please see the worker logs for more details."
}
