package topiccreation

import (
	"errors"
	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

const (
	prefix       = "topic.creation."
	groupsKey    = prefix + "groups"
	defaultGroup = "default"

	includeKey           = "include"
	excludeKey           = "exclude"
	replicationFactorKey = "replication.factor"
	partitionsKey        = "partitions"
)

// BrokerDefault as a number of partitions or a replication factor leaves it to the broker.
const BrokerDefault = -1

// GroupsKey defines topic.creation.groups, the one key of this package that every source connector has.
func GroupsKey() connect.ConfigKey {
	return connect.ConfigKey{
		Name:        groupsKey,
		Type:        connect.ConfigList,
		Default:     "",
		Validator:   connect.ConfigCheck("non-null string, unique topic creation groups", uniqueGroups),
		Importance:  connect.Low,
		Group:       "Topic Creation",
		Order:       1,
		Width:       connect.WidthLong,
		DisplayName: "Topic Creation Groups",
		Documentation: "Groups of configurations for topics that the worker creates for the connector. The first group whose patterns " +
			"match a topic's name sets up the topic; the group \"default\" is for all others.",
	}
}

func uniqueGroups(key string, value any) error {
	if value == nil {
		return connect.InvalidValue(key, nil, "entry must be non null")
	}
	groups, ok := value.([]string)
	if !ok {
		return nil
	}
	seen := make(map[string]bool, len(groups))
	for _, group := range groups {
		if seen[group] {
			return connect.InvalidValue(key, value, "Duplicate alias provided.")
		}
		seen[group] = true
	}
	return nil
}

// groupDef defines the keys of a group, without their prefix.
func groupDef(include, replicationFactor, partitions any) *connect.ConfigDef {
	patterns := connect.ConfigCheck("list of regular expressions", func(key string, value any) error {
		list, _ := value.([]string)
		for _, pattern := range list {
			if _, err := javaregexp.Compile(pattern); err != nil {
				message := err.Error()
				var syntax *javaregexp.Error
				if errors.As(err, &syntax) {
					message = syntax.Java()
				}
				return connect.InvalidValue(key, value, "Syntax error in regular expression: "+message)
			}
		}
		return nil
	})
	return connect.MustConfigDef(
		connect.ConfigKey{
			Name: includeKey, Type: connect.ConfigList, Default: include, Validator: patterns, Importance: connect.Low, Order: 1,
			Documentation: "Regular expressions of the names of the topics in the group.",
		},
		connect.ConfigKey{
			Name: excludeKey, Type: connect.ConfigList, Default: "", Validator: patterns, Importance: connect.Low, Order: 2,
			Documentation: "Regular expressions of the names of topics that are not in the group; they win over include.",
		},
		connect.ConfigKey{
			Name: replicationFactorKey, Type: connect.ConfigShort, Default: replicationFactor, Importance: connect.Low, Order: 3,
			Validator: positiveOrDefault("Positive number not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
				"Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default"),
			Documentation: "The replication factor of new topics in the group.",
		},
		connect.ConfigKey{
			Name: partitionsKey, Type: connect.ConfigInt, Default: partitions, Importance: connect.Low, Order: 4,
			Validator: positiveOrDefault("Positive number, or -1 to use the broker's default",
				"Number of partitions must be positive, or -1 to use the broker's default"),
			Documentation: "The number of partitions of new topics in the group.",
		},
	)
}

func positiveOrDefault(description, complaint string) connect.ConfigValidator {
	return connect.ConfigCheck(description, func(key string, value any) error {
		var n int64
		switch v := value.(type) {
		case int16:
			n = int64(v)
		case int32:
			n = int64(v)
		}
		if n != BrokerDefault && n < 1 {
			return connect.InvalidValue(key, value, complaint)
		}
		return nil
	})
}
