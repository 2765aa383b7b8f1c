package pipeline

import (
	"fmt"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/internal/connconfig"
)

// Steps makes the transformations, with their predicates, that a connector's configuration names.
func Steps(reg *connect.Registry, c *connconfig.Common) ([]Step, error) {
	var steps []Step
	for _, t := range c.Transforms {
		p, err := connconfig.Find[connect.TransformationPlugin](reg, connect.KindTransformation, "transforms."+t.Alias+".type", t.Plugin)
		if err != nil {
			return nil, err
		}
		step := Step{Alias: t.Alias, Class: p.Class, Negate: t.Negate}
		if t.HasPredicate {
			if step.Predicate, err = predicate(reg, c, t); err != nil {
				return nil, err
			}
		}
		if step.Transformation, err = p.New(t.Config); err != nil {
			return nil, fmt.Errorf("transformation %s: %w", t.Alias, err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func predicate(reg *connect.Registry, c *connconfig.Common, t connconfig.Transform) (connect.Predicate, error) {
	for _, p := range c.Predicates {
		if p.Alias != t.Predicate {
			continue
		}
		plugin, err := connconfig.Find[connect.PredicatePlugin](reg, connect.KindPredicate, "predicates."+p.Alias+".type", p.Plugin)
		if err != nil {
			return nil, err
		}
		out, err := plugin.New(p.Config)
		if err != nil {
			return nil, fmt.Errorf("predicate %s of transformation %s: %w", p.Alias, t.Alias, err)
		}
		return out, nil
	}
	key := "predicates." + t.Predicate + ".plugin.version" // what Kafka Connect misses first
	return nil, fmt.Errorf("transformation %s names the predicate %q, which predicates does not list: %w", t.Alias, t.Predicate,
		connect.ConfigErrorf(key, "Unknown configuration '%s'", key))
}

// ClassNotFound is the error of a key that names a class which no plugin has.
func ClassNotFound(key, class string) error {
	return connect.ConfigErrorf(key, "Invalid value %s for configuration %s: Class %s could not be found.", class, key, class)
}
