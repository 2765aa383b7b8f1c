package smt

import (
	"context"
	"fmt"
	"testing"

	"github.com/gokconnect/connect"
)

func orders(extra string) *connect.Schema {
	return connect.NewStruct("Order").Field("id", connect.Int64Schema).Field(extra, connect.OptionalStringSchema).MustBuild()
}

func apply(t *testing.T, tr connect.Transformation, s *connect.Schema, v any) *connect.Record {
	t.Helper()
	r, err := tr.Apply(context.Background(), &connect.Record{Topic: "t", ValueSchema: s, Value: v})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Equal schemas get one output schema, so that the plans of later stages are found by pointer.
func TestEqualSchemasShareAPlan(t *testing.T) {
	tr := newTransformation(t, "Cast$Value", connect.Config{"spec": "id:string"})
	one, two := orders("note"), orders("note")
	first := apply(t, tr, one, connect.StructOf(one, int64(1), nil))
	second := apply(t, tr, two, connect.StructOf(two, int64(2), nil))
	if first.ValueSchema != second.ValueSchema {
		t.Error("two equal schemas gave two output schemas")
	}
}

func TestPlansAreBounded(t *testing.T) {
	compiled := 0
	c := plans[int]{compile: func(*connect.Schema) int { compiled++; return compiled }}
	schemas := make([]*connect.Schema, maxPlans+1)
	for i := range schemas {
		schemas[i] = orders(fmt.Sprint("f", i))
		if got := c.of(schemas[i]); got != i+1 {
			t.Fatalf("plan %d, expected %d", got, i+1)
		}
	}
	if len(c.recent) != maxPlans {
		t.Errorf("%d plans are kept, expected %d", len(c.recent), maxPlans)
	}
	for i := maxPlans; i > 0; i-- { // all but the oldest are there
		if got := c.of(schemas[i]); got != i+1 {
			t.Errorf("plan %d, expected %d", got, i+1)
		}
	}
	if got := c.of(schemas[0]); got != maxPlans+2 {
		t.Errorf("plan %d of the schema that was forgotten, expected %d", got, maxPlans+2)
	}
}

// A failed plan fails each record, not only the first.
func TestFailedPlanStaysFailed(t *testing.T) {
	tr := newTransformation(t, "InsertField$Value", connect.Config{"topic.field": "id"})
	s := orders("note")
	for range 2 {
		r := &connect.Record{ValueSchema: s, Value: connect.StructOf(s, int64(1), nil)}
		_, err := tr.Apply(context.Background(), r)
		if err == nil || err.Error() != "Cannot create field because of field name duplication id" {
			t.Errorf("error %v", err)
		}
	}
}
