package main

import (
	"crypto/subtle"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/gokconnect/connect/cluster"
)

// What Kafka's scripts pass on to Java, and where the users of the REST API stand: in a properties file that a JAAS file
// names, which a system property names.
var (
	systemProperty = regexp.MustCompile(`-Djava\.security\.auth\.login\.config=(\S+)`)
	jaasEntry      = regexp.MustCompile(`(?s)\bKafkaConnect\s*\{[^}]*?PropertyFileLoginModule\s+\w+\s[^;}]*?\bfile\s*=\s*"([^"]*)"`)
)

// authenticator returns what checks the credentials of requests, or nil if the worker asks for none.
func authenticator(worker connect.Config) (func(user, password string) bool, error) {
	if !strings.Contains(worker["rest.extension.classes"], "BasicAuthSecurityRestExtension") {
		return nil, nil
	}
	for _, name := range []string{"KAFKA_OPTS", "JAVA_TOOL_OPTIONS"} {
		m := systemProperty.FindStringSubmatch(os.Getenv(name))
		if m == nil {
			continue
		}
		jaas, err := os.ReadFile(m[1])
		if err != nil {
			return nil, fmt.Errorf("users of the REST API: %w", err)
		}
		entry := jaasEntry.FindSubmatch(jaas)
		if entry == nil {
			return nil, fmt.Errorf("users of the REST API: %s has no entry KafkaConnect with a PropertyFileLoginModule and its file", m[1])
		}
		users, err := cluster.LoadProperties(string(entry[1]))
		if err != nil {
			return nil, fmt.Errorf("users of the REST API: %w", err)
		}
		return func(user, password string) bool {
			want, ok := users[user]
			return ok && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
		}, nil
	}
	return nil, fmt.Errorf("rest.extension.classes asks for credentials, and KAFKA_OPTS does not say where users are (-Djava.security.auth.login.config=FILE)")
}
