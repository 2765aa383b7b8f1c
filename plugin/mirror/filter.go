package mirror

import (
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// TopicFilter selects the topics to copy. It is used concurrently.
type TopicFilter interface {
	ShouldReplicateTopic(topic string) bool
}

// GroupFilter selects the consumer groups to translate the offsets of. It is used concurrently.
type GroupFilter interface {
	ShouldReplicateGroup(group string) bool
}

// ConfigPropertyFilter selects the settings of topics to copy. Its optional interface is [SourceDefaults]. It is used
// concurrently.
type ConfigPropertyFilter interface {
	ShouldReplicateConfigProperty(name string) bool
}

// SourceDefaults is an optional interface of a [ConfigPropertyFilter]: whether a setting that has the source cluster's
// default value is copied, rather than left to the target's default. Without it it is not.
type SourceDefaults interface {
	ShouldReplicateSourceDefault(name string) bool
}

// patterns are a list of names and Java regular expressions, as one. The zero value matches nothing.
type patterns struct{ re *javaregexp.Regexp }

func compilePatterns(key string, list []string) (patterns, error) {
	if len(list) == 0 {
		return patterns{}, nil
	}
	re, err := javaregexp.Compile(strings.Join(list, "|"))
	if err != nil {
		return patterns{}, &connect.ConfigError{Key: key, Message: fmt.Sprintf("Invalid value %s for configuration %s: %v", strings.Join(list, ","), key, err), Err: err}
	}
	return patterns{re}, nil
}

// match reports whether one of the patterns matches the whole text. One that takes too long matches nothing.
func (p patterns) match(s string) bool {
	if p.re == nil {
		return false
	}
	ok, err := p.re.MatchFull(s)
	return ok && err == nil
}

// inOut selects by a list of what is in and one of what is out, which goes first.
type inOut struct{ include, exclude patterns }

func (f inOut) selects(name string) bool { return f.include.match(name) && !f.exclude.match(name) }

// newInOut reads both lists from a configuration.
func newInOut(cfg connect.Config, def *connect.ConfigDef, include, exclude string) (f inOut, err error) {
	p, err := def.Parse(cfg)
	if err != nil {
		return f, err
	}
	if f.include, err = compilePatterns(include, p.List(include)); err != nil {
		return f, err
	}
	f.exclude, err = compilePatterns(exclude, p.List(exclude))
	return f, err
}

// DefaultTopicFilter selects by the keys topics and topics.exclude.
type DefaultTopicFilter struct{ lists inOut }

// NewDefaultTopicFilter reads the keys. It fails with a *[connect.ConfigError].
func NewDefaultTopicFilter(cfg connect.Config) (*DefaultTopicFilter, error) {
	lists, err := newInOut(cfg, topicFilterDef(), topicsKey, topicsExcludeKey)
	if err != nil {
		return nil, err
	}
	return &DefaultTopicFilter{lists}, nil
}

// ShouldReplicateTopic implements [TopicFilter].
func (f *DefaultTopicFilter) ShouldReplicateTopic(topic string) bool { return f.lists.selects(topic) }

// DefaultGroupFilter selects by the keys groups and groups.exclude.
type DefaultGroupFilter struct{ lists inOut }

// NewDefaultGroupFilter reads the keys. It fails with a *[connect.ConfigError].
func NewDefaultGroupFilter(cfg connect.Config) (*DefaultGroupFilter, error) {
	lists, err := newInOut(cfg, groupFilterDef(), groupsKey, groupsExcludeKey)
	if err != nil {
		return nil, err
	}
	return &DefaultGroupFilter{lists}, nil
}

// ShouldReplicateGroup implements [GroupFilter].
func (f *DefaultGroupFilter) ShouldReplicateGroup(group string) bool { return f.lists.selects(group) }

// DefaultConfigPropertyFilter selects by the keys config.properties.exclude and use.defaults.from.
type DefaultConfigPropertyFilter struct {
	exclude  patterns
	defaults bool
}

// NewDefaultConfigPropertyFilter reads the keys. It fails with a *[connect.ConfigError].
func NewDefaultConfigPropertyFilter(cfg connect.Config) (*DefaultConfigPropertyFilter, error) {
	p, err := configFilterDef().Parse(cfg)
	if err != nil {
		return nil, err
	}
	exclude, err := compilePatterns(configExcludeKey, p.List(configExcludeKey))
	if err != nil {
		return nil, err
	}
	return &DefaultConfigPropertyFilter{exclude, p.String(useDefaultsKey) == "source"}, nil
}

// ShouldReplicateConfigProperty implements [ConfigPropertyFilter].
func (f *DefaultConfigPropertyFilter) ShouldReplicateConfigProperty(name string) bool {
	return !f.exclude.match(name)
}

// ShouldReplicateSourceDefault implements [SourceDefaults].
func (f *DefaultConfigPropertyFilter) ShouldReplicateSourceDefault(string) bool { return f.defaults }
