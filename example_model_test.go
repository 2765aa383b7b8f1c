package connect_test

import (
	"fmt"

	"github.com/gokconnect/connect"
)

// Build a schema once, then fill structs of it.
func ExampleSchemaBuilder() {
	schema, err := connect.NewStruct("com.acme.Order").
		Version(1).
		Field("id", connect.Int64Schema).
		Field("note", connect.OptionalStringSchema).
		Field("total", connect.DecimalSchema(2)).
		Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	order, _ := connect.NewStructValue(schema)
	order = order.With("id", 42).With("total", connect.NewDecimal(1250, 2))
	fmt.Println(schema)
	fmt.Println(order)

	fmt.Println(order.Put("id", "forty-two"))
	fmt.Println(order.Put("amount", 1))
	// Output:
	// Schema{com.acme.Order:STRUCT}
	// Struct{id=42,total=12.50}
	// Invalid Java object for schema with type INT64: class java.lang.String for field: "id"
	// amount is not a valid field name
}

func ExampleFieldAs() {
	schema := connect.NewStruct("").
		Field("id", connect.Int64Schema).
		Field("state", connect.NewSchema(connect.TypeString).Default("open").MustBuild()).
		MustBuild()
	order := connect.StructOf(schema, int64(42), nil)

	id, err := connect.FieldAs[int64](order, "id")
	fmt.Println(id+1, err)
	state, err := connect.FieldAs[string](order, "state")
	fmt.Println(state, err)
	_, err = connect.FieldAs[string](order, "id")
	fmt.Println(err)
	// Output:
	// 43 <nil>
	// open <nil>
	// Field 'id' is not of type STRING
}

func ExampleMap() {
	m := connect.MapOf(connect.Entry{Key: "b", Value: int32(1)}, connect.Entry{Key: "a", Value: int32(2)})
	m.Set("b", int32(3))
	for k, v := range m.All() {
		fmt.Println(k, v)
	}
	fmt.Println(m)

	// A Go map does as well; its keys are read in order.
	same, _ := connect.AsMap(map[string]any{"b": int32(3), "a": int32(2)})
	fmt.Println(same, same.Equal(m))
	// Output:
	// b 3
	// a 2
	// {b=3, a=2}
	// {a=2, b=3} true
}

func ExampleDecimal() {
	d, err := connect.ParseDecimal("-12.50")
	fmt.Println(d, d.Scale, err)
	fmt.Printf("%x\n", d.Bytes())

	back, err := connect.DecimalOfBytes(d.Bytes(), 2)
	fmt.Println(back, back.Equal(d), err)
	// Output:
	// -12.50 2 <nil>
	// fb1e
	// -12.50 true <nil>
}

// A reader that expects a newer schema gets older values in its form.
func ExampleProject() {
	old := connect.NewStruct("Order").Field("id", connect.Int32Schema).Field("note", connect.StringSchema).MustBuild()
	current := connect.NewStruct("Order").Field("id", connect.Int64Schema).
		Field("state", connect.NewSchema(connect.TypeString).Default("open").MustBuild()).MustBuild()

	v, err := connect.Project(old, connect.StructOf(old, int32(42), "fragile"), current)
	fmt.Println(v, err)

	_, err = connect.Project(current, v, old)
	fmt.Println(err)
	// Output:
	// Struct{id=42,state=open} <nil>
	// Error projecting id: Schema type mismatch. source type: INT64 and target type: INT32
}
