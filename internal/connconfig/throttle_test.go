package connconfig

import (
	"errors"
	"testing"

	"github.com/gokconnect/connect"
)

func TestThrottle(t *testing.T) {
	base := connect.Config{"name": "c", "connector.class": "x"}
	for _, c := range []struct {
		key, value string
		want       Throttle
		refused    bool
	}{
		{"", "", Throttle{}, false},
		{ThrottleRecordsKey, "100", Throttle{Records: 100}, false},
		{ThrottleRecordsKey, "0.5", Throttle{Records: 0.5}, false},
		{ThrottleBytesKey, "1e6", Throttle{Bytes: 1e6}, false},
		{ThrottleRecordsKey, "0", Throttle{}, true},
		{ThrottleRecordsKey, "-1", Throttle{}, true},
		{ThrottleRecordsKey, "NaN", Throttle{}, true},
		{ThrottleBytesKey, "Inf", Throttle{}, true},
		{ThrottleBytesKey, "", Throttle{}, true},
		{ThrottleBytesKey, "10 MB", Throttle{}, true},
	} {
		cfg := connect.Config{}
		for k, v := range base {
			cfg[k] = v
		}
		if c.key != "" {
			cfg[c.key] = c.value
		}
		s, err := ParseSource(nil, cfg)
		r := newResult("")
		r.addThrottle(cfg)
		if c.refused {
			var wrong *connect.ConfigError
			if !errors.As(err, &wrong) || wrong.Key != c.key {
				t.Errorf("%s=%q: %v", c.key, c.value, err)
			}
			if r.ErrorCount != 1 || len(r.Errors()) != 1 || r.Configs[0].Value.Name != c.key {
				t.Errorf("%s=%q: result %+v", c.key, c.value, r)
			}
			continue
		}
		if err != nil || s.Throttle != c.want {
			t.Errorf("%s=%q: %+v, %v", c.key, c.value, s, err)
		}
		if r.ErrorCount != 0 || len(r.Configs) != 0 {
			t.Errorf("%s=%q: result %+v", c.key, c.value, r)
		}
	}
	if got := (Throttle{Records: 100, Bytes: 10}).Share(4); got != (Throttle{Records: 25, Bytes: 2.5}) {
		t.Errorf("a quarter: %+v", got)
	}
}
