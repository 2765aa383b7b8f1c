package smt

import (
	"context"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/javaregexp"
)

// maxRoutes is the number of topics whose new names a regexRouter remembers.
const maxRoutes = 1024

// regexRouter renames topics. It matches a topic once: the outcome depends on the name alone.
type regexRouter struct {
	regex       *javaregexp.Regexp
	replacement string

	last, route string // of the last record
	routes      map[string]string
}

func (t *regexRouter) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	if r.Topic == t.last && t.routes != nil {
		r.Topic = t.route
		return r, nil
	}
	route, ok := t.routes[r.Topic]
	if !ok {
		var err error
		if route, err = t.match(r.Topic); err != nil {
			return nil, err
		}
		if t.routes == nil || len(t.routes) == maxRoutes {
			t.routes = make(map[string]string)
		}
		t.routes[r.Topic] = route
	}
	t.last, t.route = r.Topic, route
	r.Topic = route
	return r, nil
}

// match returns the new name of a topic. The whole old name has to match, and the first match in it is replaced.
func (t *regexRouter) match(topic string) (string, error) {
	ok, err := t.regex.MatchFull(topic)
	if err != nil {
		return "", &connect.DataError{Message: "Could not match the topic " + topic + " with " + t.regex.String(), Err: err}
	}
	if !ok {
		return topic, nil
	}
	route, err := t.regex.ReplaceFirst(topic, t.replacement)
	if err != nil {
		return "", &connect.DataError{Message: "Could not replace the topic " + topic + " by " + t.replacement, Err: err}
	}
	return route, nil
}

func regexRouterKind() kind {
	return kind{
		name: "RegexRouter",
		def: connect.MustConfigDef(
			connect.ConfigKey{
				Name: "regex", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
				Validator:     validPattern(),
				Documentation: "Regular expression to use for matching.",
			},
			connect.ConfigKey{
				Name: "replacement", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
				Documentation: "Replacement string.",
			},
		),
		make: func(_ part, c *connect.ParsedConfig) (connect.Transformation, error) {
			regex, err := javaregexp.Compile(c.String("regex"))
			if err != nil {
				return nil, connect.InvalidValue("regex", c.String("regex"), "Invalid regex: "+err.Error())
			}
			return &regexRouter{regex: regex, replacement: c.String("replacement")}, nil
		},
	}
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
