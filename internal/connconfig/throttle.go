package connconfig

import (
	"errors"
	"math"
	"strconv"

	"github.com/gokconnect/connect"
)

// The keys of a connector's throttle. They are the runtime's own, and no part of its definition: Kafka Connect, whose
// answers about a configuration list what is defined, does not know them.
const (
	ThrottleRecordsKey = "throttle.records.per.second"
	ThrottleBytesKey   = "throttle.bytes.per.second"
)

// Throttle is how much a connector may move in a second; zero is no limit.
type Throttle struct{ Records, Bytes float64 }

// Share returns the part of one of so many tasks.
func (t Throttle) Share(tasks int) Throttle {
	n := float64(max(tasks, 1))
	return Throttle{t.Records / n, t.Bytes / n}
}

// parseThrottle returns the throttle of a configuration. Errors are *[connect.ConfigError]; each key has at most one.
func parseThrottle(cfg connect.Config) (t Throttle, errs [2]error) {
	t.Records, errs[0] = parseRate(cfg, ThrottleRecordsKey)
	t.Bytes, errs[1] = parseRate(cfg, ThrottleBytesKey)
	return t, errs
}

func parseRate(cfg connect.Config, key string) (float64, error) {
	text, ok := cfg[key]
	if !ok {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate > 0) || math.IsInf(rate, 0) {
		return 0, connect.InvalidValue(key, text, "It must be a number above 0; without the key there is no limit")
	}
	return rate, nil
}

// addThrottle adds what is wrong with the throttle of a configuration. Kafka Connect's answer does not have its keys.
func (r *Result) addThrottle(cfg connect.Config) {
	_, errs := parseThrottle(cfg)
	for i, key := range [...]string{ThrottleRecordsKey, ThrottleBytesKey} {
		var wrong *connect.ConfigError
		if errors.As(errs[i], &wrong) {
			value := cfg[key]
			r.Configs = append(r.Configs, Config{Value: &Value{Name: key, Value: &value, Recommended: []string{}, Errors: []string{wrong.Message}, Visible: true}})
			r.ErrorCount++
		}
	}
}
