package connect_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gokconnect/connect"
)

type common struct {
	Name string `connect:"name" validate:"nocontrol"`
}

type level string

type settings struct {
	common
	Batch   int               `connect:"batch.size" default:"2000" validate:"min=1,max=5000" importance:"low" doc:"How many." group:"G" order:"2" width:"short" display:"Batch"`
	Wait    time.Duration     `connect:"wait.ms" default:"1500"`
	Ratio   float64           `connect:"ratio" default:"0.5" validate:"min=0"`
	Tags    []string          `connect:"tags" default:"" validate:"unique"`
	Level   level             `connect:"level" default:"low" validate:"in=low|high"`
	Addr    netip.Addr        `connect:"addr,optional"`
	Token   *connect.Password `connect:"token"`
	Max     *int64            `connect:"max" validate:"min=1"`
	Small   int16             `connect:"small" default:"1"`
	Big     int64             `connect:"big" default:"1"`
	On      bool              `connect:"on" default:"false" dependents:"retry.max"`
	Retry   retry             `connect:"retry."`
	Labels  map[string]string `connect:"label."`
	Ignored chan int
}

type retry struct {
	Max int32 `connect:"max" default:"3"`
}

func (s *settings) Validate() error {
	if s.Batch == 13 {
		return errors.New("13 is bad luck")
	}
	return nil
}

func TestBind(t *testing.T) {
	got, err := connect.Bind[settings](connect.Config{
		"name": "n", "batch.size": " 5 ", "wait.ms": "20", "tags": "a, b", "token": "t", "max": "4", "retry.max": "9", "label.x": "1", "addr": "::1",
	})
	if err != nil {
		t.Fatal(err)
	}
	token, limit := connect.NewPassword("t"), int64(4)
	want := settings{
		common: common{"n"}, Batch: 5, Wait: 20 * time.Millisecond, Ratio: .5, Tags: []string{"a", "b"}, Level: "low", Addr: netip.IPv6Loopback(),
		Token: &token, Max: &limit, Small: 1, Big: 1, Retry: retry{9}, Labels: map[string]string{"x": "1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	got, err = connect.Bind[settings](connect.Config{"name": "n"})
	if err != nil || got.Token != nil || got.Max != nil || got.Addr.IsValid() || got.Tags == nil || len(got.Labels) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestBindErrors(t *testing.T) {
	for _, tt := range []struct {
		cfg  connect.Config
		want string
	}{
		{connect.Config{}, `Missing required configuration "name" which has no default value.`},
		{connect.Config{"name": "n", "batch.size": "0"}, "Invalid value 0 for configuration batch.size: Value must be at least 1"},
		{connect.Config{"name": "n", "max": "0"}, "Invalid value 0 for configuration max: Value must be at least 1"},
		{connect.Config{"name": "n", "level": "mid"}, "Invalid value mid for configuration level: String must be one of: low, high"},
		{connect.Config{"name": "n", "addr": "q"}, `Invalid value q for configuration addr: ParseAddr("q"): unable to parse IP`},
		{connect.Config{"name": "n", "wait.ms": "9223372036854775807"},
			"Invalid value 9223372036854775807 for configuration wait.ms: Value must be a number of milliseconds within 292 years"},
		{connect.Config{"name": "n", "batch.size": "13"}, "13 is bad luck"},
	} {
		if _, err := connect.Bind[settings](tt.cfg); err == nil || err.Error() != tt.want {
			t.Errorf("%v: got %v, want %s", tt.cfg, err, tt.want)
		}
	}
}

func TestConfigDefOf(t *testing.T) {
	def := connect.MustConfigDefOf[settings]()
	batch, _ := def.Key("batch.size")
	if batch.Type != connect.ConfigInt || batch.Default != int32(2000) || batch.Importance != connect.Low || batch.Documentation != "How many." ||
		batch.Group != "G" || batch.Order != 2 || batch.Width != connect.WidthShort || batch.DisplayName != "Batch" || batch.Validator.String() != "[1,...,5000]" {
		t.Errorf("batch.size: %+v", batch)
	}
	name, _ := def.Key("name")
	token, _ := def.Key("token")
	on, _ := def.Key("on")
	if !name.Required() || token.Default != nil || token.Type != connect.ConfigPassword || on.Dependents[0] != "retry.max" {
		t.Errorf("%+v %+v %+v", name, token, on)
	}
}

func TestConfigDefOfWrongTags(t *testing.T) {
	for _, tt := range []struct {
		define func() (*connect.ConfigDef, error)
		want   string
	}{
		{connect.ConfigDefOf[int], "not a struct"},
		{connect.ConfigDefOf[struct {
			F chan int `connect:"f"`
		}], "field F: no configuration type fits chan int"},
		{connect.ConfigDefOf[struct {
			F int `connect:"f" validate:"nonsense"`
		}], `field F: unknown validate rule "nonsense"`},
		{connect.ConfigDefOf[struct {
			F int `connect:"f" validate:"nonempty"`
		}], `does not fit a key of type INT`},
		{connect.ConfigDefOf[struct {
			F int `connect:"f" default:"x"`
		}], "Invalid value x for configuration f: Not a number of type INT"},
		{connect.ConfigDefOf[struct {
			F int `connect:"f" importance:"huge"`
		}], `importance "huge"`},
		{connect.ConfigDefOf[struct {
			F int `connect:"f,omitempty"`
		}], `unknown option "omitempty"`},
		{connect.ConfigDefOf[struct {
			f int `connect:"f"`
		}], "field f: it is not exported"},
		{connect.ConfigDefOf[struct {
			F map[string]int `connect:"f."`
		}], "a map must be of strings"},
		{connect.ConfigDefOf[struct {
			F int `connect:"f" validate:"min=x"`
		}], "Not a number of type INT"},
	} {
		if _, err := tt.define(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
