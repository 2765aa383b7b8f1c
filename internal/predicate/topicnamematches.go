package predicate

import (
	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// maxTopics is the number of topics that a topicNameMatches remembers.
const maxTopics = 1024

// topicNameMatches is true for records whose topic's whole name matches. It matches a topic once.
type topicNameMatches struct {
	pattern *javaregexp.Regexp

	last    string // the topic of the last record
	matched bool
	topics  map[string]bool
}

func (p *topicNameMatches) Test(r *connect.Record) (bool, error) {
	if r.Topic == p.last && p.topics != nil {
		return p.matched, nil
	}
	matched, ok := p.topics[r.Topic]
	if !ok {
		var err error
		if matched, err = p.pattern.MatchFull(r.Topic); err != nil {
			return false, &connect.DataError{Message: "Could not match the topic " + r.Topic + " with " + p.pattern.String(), Err: err}
		}
		if p.topics == nil || len(p.topics) == maxTopics {
			p.topics = make(map[string]bool)
		}
		p.topics[r.Topic] = matched
	}
	p.last, p.matched = r.Topic, matched
	return matched, nil
}

func newTopicNameMatches(c *connect.ParsedConfig) (connect.Predicate, error) {
	pattern, err := javaregexp.Compile(c.String("pattern"))
	if err != nil {
		return nil, connect.InvalidValue("pattern", c.String("pattern"), "Invalid regex: "+err.Error())
	}
	return &topicNameMatches{pattern: pattern}, nil
}

func topicNameMatchesDef() *connect.ConfigDef {
	return connect.MustConfigDef(connect.ConfigKey{
		Name: "pattern", Type: connect.ConfigString, Default: connect.Required, Importance: connect.Medium,
		Validator:     connect.AllOf(connect.NonEmptyString(), validPattern()),
		Documentation: "A Java regular expression for matching against the name of a record's topic.",
	})
}

// validPattern also complains of a pattern that is missing, besides what validation says of every missing key.
func validPattern() connect.ConfigValidator {
	valid := connect.ValidRegex(func(pattern string) error {
		_, err := javaregexp.Compile(pattern)
		return err
	})
	return connect.ConfigCheck(valid.String(), func(key string, value any) error {
		if value == nil {
			return connect.InvalidValue(key, nil, "Invalid regex: there is no pattern")
		}
		return valid.Validate(key, value)
	})
}
