package workerconfig

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/gokconnect/connect"
)

// brokerDefault as a number of partitions or a replication factor leaves it to the broker.
const brokerDefault = -1

func partitions() connect.ConfigValidator {
	return positiveOrDefault("Positive number, or -1 to use the broker's default",
		"Number of partitions must be positive, or -1 to use the broker's default")
}

func replicationFactor() connect.ConfigValidator {
	return positiveOrDefault("Positive number not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
		"Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default")
}

func positiveOrDefault(description, complaint string) connect.ConfigValidator {
	return connect.ConfigCheck(description, func(key string, value any) error {
		n := 0
		switch v := value.(type) {
		case int16:
			n = int(v)
		case int32:
			n = int(v)
		}
		if n == brokerDefault || n > 0 {
			return nil
		}
		return connect.InvalidValue(key, value, complaint)
	})
}

func listenerURLs() connect.ConfigValidator {
	const example = "http://localhost:8080,https://localhost:8443."
	return connect.ConfigCheck("List of comma-separated URLs, ex: "+example, func(key string, value any) error {
		urls, ok := value.([]string)
		switch {
		case !ok:
			return connect.ConfigErrorf(key, "Invalid value type for listeners (expected list of URLs , ex: http://localhost:8080,https://localhost:8443).")
		case len(urls) == 0:
			return connect.ConfigErrorf(key, "Invalid value for listeners, at least one URL is expected, ex: %s", example)
		case slices.ContainsFunc(urls, func(url string) bool { return strings.TrimSpace(url) == "" }):
			return connect.ConfigErrorf(key, "Empty URL found when parsing listeners list.")
		}
		return nil
	})
}

func knownProtocol() connect.ConfigValidator {
	return connect.ConfigCheck("[eager, compatible, sessioned]", func(key string, value any) error {
		name, _ := value.(string)
		switch Protocol(strings.ToLower(name)) {
		case ProtocolEager, ProtocolCompatible, ProtocolSessioned:
			return nil
		}
		return connect.InvalidValue(key, value, "Invalid Connect protocol compatibility")
	})
}

// algorithms are those that requests between workers can be signed with, under Java's names.
var algorithms = [...]string{"HmacMD5", "HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"}

// minKeyBits is the shortest key that Java makes for an algorithm of the SHA-2 family.
const minKeyBits = 40

// supportedAlgorithm checks one algorithm. Java compares them without case.
func supportedAlgorithm(description string) connect.ConfigValidator {
	return connect.ConfigCheck(description, checkAlgorithm)
}

func checkAlgorithm(key string, value any) error {
	name, _ := value.(string)
	if slices.ContainsFunc(algorithms[:], func(a string) bool { return strings.EqualFold(a, name) }) {
		return nil
	}
	return connect.InvalidValue(key, value, "the algorithm is not supported by this JVM; the supported algorithms are: ["+strings.Join(algorithms[:], ", ")+"]")
}

func supportedAlgorithms() connect.ConfigValidator {
	return connect.ConfigCheck("A list of one or more MAC algorithms, each supported by the worker JVM", func(key string, value any) error {
		list, _ := value.([]string)
		if len(list) == 0 {
			return connect.InvalidValue(key, value, "At least one signature verification algorithm must be provided")
		}
		for _, name := range list {
			if err := checkAlgorithm(key, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkKeys checks what the keys for requests between workers need together.
func checkKeys(p *connect.ParsedConfig) error {
	algorithm := p.String("inter.worker.key.generation.algorithm")
	if size := p.Int("inter.worker.key.size"); p.Has("inter.worker.key.size") && (size < 1 || size < minKeyBits && strings.HasPrefix(strings.ToLower(algorithm), "hmacsha") && !strings.EqualFold(algorithm, "HmacSHA1")) {
		return connect.ConfigErrorf("inter.worker.key.size", "Unable to create key generator with algorithm %s and key size %d: Key length must be at least %d bits", algorithm, size, minKeyBits)
	}
	const signatureKey = "inter.worker.signature.algorithm"
	if signature := p.String(signatureKey); !slices.Contains(p.List("inter.worker.verification.algorithms"), signature) {
		return connect.InvalidValue(signatureKey, signature, "Signature algorithm must be present in inter.worker.verification.algorithms list")
	}
	return nil
}

// HeaderRule is a rule of response.http.headers.config.
type HeaderRule struct {
	Action string // set, add, setDate or addDate
	Name   string
	Value  string
}

// ParseHeaderRules parses response.http.headers.config: rules such as "add X-Frame-Options: DENY", separated by commas; a
// rule that has a comma stands in double quotes.
func ParseHeaderRules(text string) ([]HeaderRule, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var rules []HeaderRule
	for _, rule := range splitQuoted(text) {
		space := strings.IndexFunc(rule, unicode.IsSpace)
		if space < 0 {
			return nil, headerError("Invalid format of header config '%s'. Expected: '[action] [header name]:[header value]'", rule)
		}
		action, header := rule[:space], strings.TrimSpace(rule[space:])
		known := [...]string{"set", "add", "setDate", "addDate"}
		i := slices.IndexFunc(known[:], func(a string) bool { return strings.EqualFold(a, action) })
		if i < 0 {
			return nil, headerError("Invalid header config action: '%s'. Expected one of [%s]", action, strings.Join(known[:], ", "))
		}
		if strings.Count(strings.TrimRight(header, ":"), ":") > 1 {
			return nil, headerError("Invalid format of header name and header value pair '%s'. Expected: '[header name]:[header value]'", header)
		}
		name, value, _ := strings.Cut(header, ":")
		if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, " \t\n\v\f\r") {
			return nil, headerError("Invalid header name '%s'. The '[header name]' cannot contain whitespace", name)
		}
		rules = append(rules, HeaderRule{known[i], name, strings.TrimSpace(value)})
	}
	return rules, nil
}

func headerError(format string, args ...any) error {
	return connect.ConfigErrorf("response.http.headers.config", "%s", fmt.Sprintf(format, args...))
}

// splitQuoted splits at commas that are not in double quotes, and removes the quotes.
func splitQuoted(text string) []string {
	var parts []string
	var part strings.Builder
	quoted, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			part.WriteRune(r)
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			parts = append(parts, strings.TrimSpace(part.String()))
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	return append(parts, strings.TrimSpace(part.String()))
}

func headerRules() connect.ConfigValidator {
	const description = "Comma-separated header rules, where each header rule is of the form '[action] [header name]:[header value]' " +
		"and optionally surrounded by double quotes if any part of a header rule contains a comma"
	return connect.ConfigCheck(description, func(_ string, value any) error {
		text, _ := value.(string)
		_, err := ParseHeaderRules(text)
		return err
	})
}
