// Package topiccreation decides how the topics that a source connector writes to are created: by the groups of
// topic.creation.* in its configuration.
package topiccreation

import (
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// Groups are a connector's groups. They are immutable and safe for concurrent use.
type Groups struct {
	groups []*Group // as listed, with the default group
	rest   *Group   // the default group
}

// Group is a group of topics that are created alike.
type Group struct {
	name              string
	include, exclude  *javaregexp.Regexp
	partitions        int32
	replicationFactor int16
	configs           map[string]string
}

// Used reports whether a connector's configuration has any key of topic.creation.*, and so asks that the worker creates
// its topics.
func Used(cfg connect.Config) bool {
	for key := range cfg {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// Parse returns the groups of a source connector's configuration, or nil if it does not ask for the creation of topics.
// Whether it may is for the worker to say (topic.creation.enable). An error is a *[connect.ConfigError].
func Parse(cfg connect.Config) (*Groups, error) {
	if !Used(cfg) {
		return nil, nil
	}
	base, err := connect.NewConfigDef(GroupsKey())
	if err != nil {
		return nil, err
	}
	// The default group's patterns are always the defaults.
	given := connect.Config{}
	for key, value := range cfg {
		if key != prefix+defaultGroup+"."+includeKey && key != prefix+defaultGroup+"."+excludeKey {
			given[key] = value
		}
	}
	def, err := base.Embed(prefix+defaultGroup+".", defaultGroup, 0, groupDef(".*", connect.Required, connect.Required))
	if err != nil {
		return nil, err
	}
	parsed, err := def.Parse(given)
	if err != nil {
		return nil, err
	}
	names := parsed.List(groupsKey)
	partitions := int32(parsed.Int(prefix + defaultGroup + "." + partitionsKey))
	replicationFactor := int16(parsed.Int(prefix + defaultGroup + "." + replicationFactorKey))
	for _, name := range names {
		if name == defaultGroup {
			continue
		}
		def, err = def.Embed(prefix+name+".", "Topic Creation: "+name, 0, groupDef("", replicationFactor, partitions))
		if err != nil {
			return nil, &connect.ConfigError{Key: groupsKey, Message: err.Error(), Err: err}
		}
	}
	if parsed, err = def.Parse(given); err != nil {
		return nil, err
	}
	g := &Groups{}
	for _, name := range names {
		group, err := newGroup(name, parsed)
		if err != nil {
			return nil, err
		}
		g.groups = append(g.groups, group)
		if name == defaultGroup {
			g.rest = group
		}
	}
	if g.rest == nil {
		if g.rest, err = newGroup(defaultGroup, parsed); err != nil {
			return nil, err
		}
		g.groups = append(g.groups, g.rest)
	}
	return g, nil
}

func newGroup(name string, cfg *connect.ParsedConfig) (*Group, error) {
	own := prefix + name + "."
	g := &Group{
		name:              name,
		partitions:        int32(cfg.Int(own + partitionsKey)),
		replicationFactor: int16(cfg.Int(own + replicationFactorKey)),
		configs:           map[string]string{},
	}
	var err error
	if g.include, err = compile(own+includeKey, cfg); err != nil {
		return nil, err
	}
	if g.exclude, err = compile(own+excludeKey, cfg); err != nil {
		return nil, err
	}
	for key, value := range cfg.GivenWithPrefix(own) {
		switch key {
		case includeKey, excludeKey, replicationFactorKey, partitionsKey:
		default:
			g.configs[key] = value
		}
	}
	return g, nil
}

// compile joins the patterns of a key to one, as Java does. No pattern matches the empty name, which no topic has.
func compile(key string, cfg *connect.ParsedConfig) (*javaregexp.Regexp, error) {
	pattern, err := javaregexp.Compile(strings.Join(cfg.List(key), "|"))
	if err != nil {
		return nil, &connect.ConfigError{Key: key, Message: fmt.Sprintf("Invalid value %s for configuration %s: %v", cfg.List(key), key, err), Err: err}
	}
	return pattern, nil
}

// All returns the groups in the order of their configuration; the default group is last unless it is listed.
func (g *Groups) All() []*Group {
	if g == nil {
		return nil
	}
	return g.groups
}

// Find returns the first group that the topic is in, the default group if it is in no other. An error says that a
// pattern took too long.
func (g *Groups) Find(topic string) (*Group, error) {
	for _, group := range g.groups {
		if group == g.rest {
			continue
		}
		in, err := group.matches(topic)
		if err != nil {
			return nil, fmt.Errorf("topic creation group %s: topic %s: %w", group.name, topic, err)
		}
		if in {
			return group, nil
		}
	}
	return g.rest, nil
}

func (g *Group) matches(topic string) (bool, error) {
	excluded, err := g.exclude.MatchFull(topic)
	if err != nil || excluded {
		return false, err
	}
	return g.include.MatchFull(topic)
}

// Name returns the group's name.
func (g *Group) Name() string { return g.name }

// NewTopic returns how to create a topic of the group.
func (g *Group) NewTopic(topic string) NewTopic {
	return NewTopic{Name: topic, Partitions: g.partitions, ReplicationFactor: g.replicationFactor}.With(g.configs)
}
