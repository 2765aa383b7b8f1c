package smt

import (
	"context"
	"slices"
	"strings"

	"github.com/gokconnect/connect"
)

const replacement = "field replacement"

// replaceField keeps some fields of the key or value and renames some of these.
type replaceField struct {
	made
	part             part
	exclude, include []string
	renames          map[string]string // old name to new
	originals        map[string]string // new name to old
	keys             map[string]any    // old name to new, as the key of a map
	nulls            nulls
	plans            plans[replacePlan]
}

type replacePlan struct {
	out  *connect.Schema
	from []replaced // for each field of out
	same bool       // the fields are those of the original, in their order, with other names
	err  error
}

// replaced is the origin of a field.
type replaced struct {
	field int   // the number of the original
	check bool  // the original has another schema
	err   error // there is no original
}

// parseRenames parses pairs OLD:NEW. Of several for one name the last counts.
func parseRenames(pairs []string) (renames map[string]string, order []string, err error) {
	renames = make(map[string]string, len(pairs))
	for _, pair := range pairs {
		parts := splitColons(pair)
		if len(parts) != 2 {
			return nil, nil, connect.ConfigErrorf("renames", "Invalid value [%s] for configuration renames: Invalid rename mapping: %s",
				strings.Join(pairs, ", "), pair)
		}
		if _, ok := renames[parts[0]]; !ok {
			order = append(order, parts[0])
		}
		renames[parts[0]] = parts[1]
	}
	return renames, order, nil
}

// splitColons splits as Java's String.split does: without empty parts at the end, but for the empty text itself.
func splitColons(s string) []string {
	if s == "" {
		return []string{""}
	}
	parts := strings.Split(s, ":")
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

func newReplaceField(p part, exclude, include, renames []string, n nulls) (*replaceField, error) {
	t := &replaceField{part: p, exclude: exclude, include: include, nulls: n}
	var order []string
	var err error
	if t.renames, order, err = parseRenames(renames); err != nil {
		return nil, err
	}
	t.originals = make(map[string]string, len(order))
	t.keys = make(map[string]any, len(order))
	for _, old := range hashOrder(order) { // decides between two fields that get one name
		t.originals[t.renames[old]] = old
		t.keys[old] = t.renames[old]
	}
	t.plans.compile = t.compile
	return t, nil
}

func (t *replaceField) keeps(field string) bool {
	return !slices.Contains(t.exclude, field) && (len(t.include) == 0 || slices.Contains(t.include, field))
}

func (t *replaceField) renamed(field string) string {
	if name, ok := t.renames[field]; ok {
		return name
	}
	return field
}

func (t *replaceField) compile(s *connect.Schema) (p replacePlan) {
	b := copyStruct(s)
	for _, f := range s.Fields() {
		if t.keeps(f.Name) {
			b.Field(t.renamed(f.Name), f.Schema)
		}
	}
	if p.out, p.err = b.Build(); p.err != nil {
		return p
	}
	for _, f := range p.out.Fields() {
		// Java looks for the original by the new name, even of a field that had that name before.
		name, ok := t.originals[f.Name]
		if !ok {
			name = f.Name
		}
		from, ok := s.Field(name)
		var err error
		if !ok {
			err = connect.DataErrorf("%s is not a valid field name", name)
		}
		p.from = append(p.from, replaced{from.Index, from.Schema != f.Schema, err})
	}
	p.same = len(p.from) == len(s.Fields())
	for i, from := range p.from {
		p.same = p.same && from == replaced{field: i}
	}
	return p
}

func (t *replaceField) Apply(_ context.Context, r *connect.Record) (*connect.Record, error) {
	schema, value := t.part.of(r)
	if isNil(value) {
		return r, nil
	}
	if schema == nil {
		m, err := t.applyMap(value)
		if err != nil {
			return nil, err
		}
		return t.part.set(r, nil, m), nil
	}
	s, err := requireStruct(value, replacement)
	if err != nil {
		return nil, err
	}
	p := t.plans.of(s.Schema())
	if p.err != nil {
		return nil, p.err
	}
	if p.same && t.mine(t.part, s) {
		if err := t.nulls.inPlace(s.Values(), s, p.out); err != nil {
			return nil, err
		}
		become(s, p.out, s.Values())
		return t.part.set(r, p.out, s), nil
	}
	out, values := connect.StructFor(p.out)
	for i, from := range p.from {
		if from.err != nil {
			return nil, from.err
		}
		values[i] = t.nulls.at(s, from.field)
		if values[i] == nil || from.check {
			f := &p.out.Fields()[i]
			if err := f.Schema.ValidateField(f.Name, values[i]); err != nil {
				return nil, err
			}
		}
	}
	t.add(t.part, out)
	return t.part.set(r, p.out, out), nil
}

func (t *replaceField) applyMap(value any) (*connect.Map, error) {
	m, err := requireMap(value, replacement)
	if err != nil {
		return nil, err
	}
	out := connect.NewMapValue(m.Len())
	for _, e := range m.Entries() {
		if e.Key == nil {
			if len(t.include) == 0 {
				out.Set(nil, e.Value)
			}
			continue
		}
		name, err := stringKey(e.Key, replacement)
		if err != nil {
			return nil, err
		}
		if !t.keeps(name) {
			continue
		}
		key := e.Key
		if to, ok := t.keys[name]; ok {
			key = to
		}
		out.Set(key, e.Value)
	}
	return out, nil
}

func replaceFieldKind() kind {
	list := func(name, doc string) connect.ConfigKey {
		return connect.ConfigKey{
			Name: name, Type: connect.ConfigList, Default: "", Importance: connect.Medium, Documentation: doc,
			Validator: connect.AnyNonDuplicate(true, false),
		}
	}
	return kind{
		name: "ReplaceField", parts: bothParts,
		def: connect.MustConfigDef(
			list("exclude", "Fields to exclude. This takes precedence over the fields to include."),
			list("include", "Fields to include. If specified, only these fields will be used."),
			connect.ConfigKey{
				Name: "renames", Type: connect.ConfigList, Default: "", Importance: connect.Medium, Documentation: "Field rename mappings.",
				Validator: connect.ConfigCheck(colonPairs, func(key string, value any) error {
					if value == nil {
						return connect.InvalidValue(key, value, "entry must be non null")
					}
					_, _, err := parseRenames(items(value))
					return err
				}),
			},
			replaceNullKey,
		),
		make: func(p part, c *connect.ParsedConfig) (connect.Transformation, error) {
			return newReplaceField(p, c.List("exclude"), c.List("include"), c.List("renames"), nullsOf(c))
		},
	}
}
