package connect_test

import (
	"fmt"
	"time"

	"github.com/gokconnect/connect"
)

func ExampleNewConfigDef() {
	def := connect.MustConfigDef(
		connect.ConfigKey{Name: "url", Type: connect.ConfigString, Default: connect.Required, Importance: connect.High,
			Documentation: "Where to send records.", Validator: connect.NonEmptyString()},
		connect.ConfigKey{Name: "batch.size", Type: connect.ConfigInt, Default: 500, Validator: connect.AtLeast(1)},
		connect.ConfigKey{Name: "token", Type: connect.ConfigPassword, Default: nil},
	)
	cfg, err := def.Parse(connect.Config{"url": "https://example.com", "token": "s3cret"})
	fmt.Println(cfg.String("url"), cfg.Int("batch.size"), cfg.Password("token"), err)

	_, err = def.Parse(connect.Config{"url": "https://example.com", "batch.size": "0"})
	fmt.Println(err)
	// Output:
	// https://example.com 500 [hidden] <nil>
	// Invalid value 0 for configuration batch.size: Value must be at least 1
}

func ExampleConfigDef_Validate() {
	def := connect.MustConfigDef(
		connect.ConfigKey{Name: "mode", Type: connect.ConfigString, Default: connect.Required, Validator: connect.ValidString("fast", "safe")},
		connect.ConfigKey{Name: "port", Type: connect.ConfigInt, Default: 80, Validator: connect.Between(1, 65535)},
	)
	values := def.Validate(connect.Config{"mode": "fat", "port": "http"})
	for _, key := range []string{"mode", "port"} {
		fmt.Println(values[key].Errors)
	}
	// Output:
	// [Invalid value fat for configuration mode: String must be one of: fast, safe]
	// [Invalid value http for configuration port: Not a number of type INT Invalid value null for configuration port: Value must be non-null]
}

func ExampleBind() {
	type Settings struct {
		URL     string        `connect:"url" importance:"high" validate:"nonempty"`
		Batch   int           `connect:"batch.size" default:"500" validate:"min=1"`
		Timeout time.Duration `connect:"timeout.ms" default:"30000"`
		Retry   struct {
			Max int `connect:"max" default:"3"`
		} `connect:"retry."`
	}
	s, err := connect.Bind[Settings](connect.Config{"url": "https://example.com", "retry.max": "5"})
	fmt.Printf("%+v %v\n", s, err)

	_, err = connect.Bind[Settings](connect.Config{"batch.size": "5"})
	fmt.Println(err)
	// Output:
	// {URL:https://example.com Batch:500 Timeout:30s Retry:{Max:5}} <nil>
	// Missing required configuration "url" which has no default value.
}

func ExampleConfigCheck() {
	even := connect.ConfigCheck("an even number", func(key string, value any) error {
		if n, ok := value.(int32); ok && n%2 != 0 {
			return connect.InvalidValue(key, value, "Value must be even")
		}
		return nil
	})
	def := connect.MustConfigDef(connect.ConfigKey{Name: "pairs", Type: connect.ConfigInt, Default: 2, Validator: even})
	_, err := def.Parse(connect.Config{"pairs": "3"})
	fmt.Println(err)
	// Output: Invalid value 3 for configuration pairs: Value must be even
}
