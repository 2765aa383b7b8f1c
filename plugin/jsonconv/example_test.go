package jsonconv_test

import (
	"context"
	"fmt"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/plugin/jsonconv"
)

func ExampleNew() {
	ctx := context.Background()
	schema := connect.NewStruct("com.acme.Order").
		Field("id", connect.Int64Schema).
		Field("note", connect.OptionalStringSchema).
		MustBuild()
	order := connect.StructOf(schema, int64(7), "fragile")

	c := jsonconv.New(jsonconv.Options{})
	b, err := c.FromConnect(ctx, "orders", nil, schema, order)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", b)

	sv, err := c.ToConnect(ctx, "orders", nil, b)
	if err != nil {
		panic(err)
	}
	fmt.Println(sv.Schema, sv.Value)
	// Output:
	// {"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"note"}],"optional":false,"name":"com.acme.Order"},"payload":{"id":7,"note":"fragile"}}
	// Schema{com.acme.Order:STRUCT} Struct{id=7,note=fragile}
}

// Plain JSON, without schemas, is read as maps, lists, texts, int64, float64 and booleans.
func ExampleOptions_noSchemas() {
	c := jsonconv.New(jsonconv.Options{NoSchemas: true})
	sv, err := c.ToConnect(context.Background(), "orders", nil, []byte(`{"id":7,"price":1.5}`))
	if err != nil {
		panic(err)
	}
	m := sv.Value.(*connect.Map)
	id, _ := m.Get("id")
	fmt.Printf("%T %v\n", id, m)
	// Output: int64 {id=7, price=1.5}
}

// Messages of one known schema need no envelope.
func ExampleParseSchema() {
	schema, err := jsonconv.ParseSchema([]byte(`{"type":"struct","fields":[{"field":"id","type":"int64"}]}`))
	if err != nil {
		panic(err)
	}
	c := jsonconv.New(jsonconv.Options{Schema: schema})
	sv, err := c.ToConnect(context.Background(), "orders", nil, []byte(`{"id":7}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(sv.Value)
	// Output: Struct{id=7}
}
