package clients

import (
	"strings"
	"time"

	"github.com/gokconnect/connect"
)

// Properties returns the table of all client properties of Kafka 4.3: every property of its producer, consumer and
// admin client, with what becomes of it. The slice is the caller's.
func Properties() []Property {
	all := commonProperties()
	all = append(all, securityProperties()...)
	return append(all, dataProperties()...)
}

// gzipLevel is the validator of compression.gzip.level.
type gzipLevel struct{}

func (gzipLevel) String() string { return "[1,...,9] or -1" }

func (gzipLevel) Validate(key string, value any) error {
	if n, ok := value.(int32); ok && n != -1 && (n < 1 || n > 9) {
		return connect.InvalidValue(key, value, "Value must be between 1 and 9 or equal to -1")
	}
	return nil
}

// offsetReset is the validator of auto.offset.reset.
type offsetReset struct{}

func (offsetReset) String() string { return "[latest, earliest, none, by_duration:PnDTnHnMn.nS]" }

func (offsetReset) Validate(key string, value any) error {
	text, _ := value.(string)
	switch text {
	case "latest", "earliest", "none":
		return nil
	}
	if duration, ok := strings.CutPrefix(text, "by_duration:"); ok {
		if _, ok := isoDuration(duration); ok {
			return nil
		}
	}
	return connect.InvalidValue(key, value, "Invalid value `"+text+"` for configuration auto.offset.reset. "+
		"The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.")
}

// isoDuration parses a duration as java.time.Duration does (PnDTnHnMn.nS). A negative one is refused.
func isoDuration(s string) (time.Duration, bool) {
	s = strings.ToUpper(s)
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" || strings.HasSuffix(s, "T") {
		return 0, false
	}
	days, clock, _ := strings.Cut(s, "T")
	var total time.Duration
	if days != "" {
		n, ok := strings.CutSuffix(days, "D")
		d, err := time.ParseDuration(n + "h")
		if !ok || err != nil || strings.ContainsAny(n, ".HMSUN") || d > (1<<62)/24 {
			return 0, false
		}
		total = d * 24
	}
	if clock != "" {
		d, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil || strings.ContainsAny(clock, "UNµ") || strings.Contains(clock, "MS") {
			return 0, false
		}
		total += d
	}
	return total, total >= 0
}
