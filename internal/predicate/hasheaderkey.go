package predicate

import "github.com/gokconnect/connect"

// hasHeaderKey is true for records with at least one header of that name.
type hasHeaderKey struct{ name string }

func (p hasHeaderKey) Test(r *connect.Record) (bool, error) {
	for i := range r.Headers {
		if r.Headers[i].Key == p.name {
			return true, nil
		}
	}
	return false, nil
}

func newHasHeaderKey(c *connect.ParsedConfig) (connect.Predicate, error) {
	return hasHeaderKey{c.String("name")}, nil
}

func hasHeaderKeyDef() *connect.ConfigDef {
	return connect.MustConfigDef(connect.ConfigKey{
		Name: "name", Type: connect.ConfigString, Default: connect.Required, Importance: connect.Medium,
		Validator:     connect.NonEmptyString(),
		Documentation: "The header name.",
	})
}
