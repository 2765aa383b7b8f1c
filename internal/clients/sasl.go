package clients

import (
	"fmt"
	"strings"

	"github.com/gokconnect/connect"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// MechanismFunc makes a SASL mechanism of a client's properties and of the options of the login module in its
// sasl.jaas.config, if there is one. nil without an error means that it does not know the mechanism.
type MechanismFunc func(name string, props, jaas map[string]string) (sasl.Mechanism, error)

func (o Options) mechanism(p *properties) (sasl.Mechanism, error) {
	const key, jaasKey = "sasl.mechanism", "sasl.jaas.config"
	name := p.String(key)
	if name == "" {
		return nil, connect.InvalidValue(key, nil, "When the security.protocol configuration enables SASL, mechanism must be non-null and non-empty string.")
	}
	var module loginModule
	if text := p.Password(jaasKey).Reveal(); strings.TrimSpace(text) != "" {
		var err error
		if module, err = parseJAAS(text); err != nil {
			return nil, &connect.ConfigError{Key: jaasKey, Message: "Invalid value [hidden] for configuration " + jaasKey + ": " + err.Error(), Err: err}
		}
	}
	if o.Mechanism != nil {
		mechanism, err := o.Mechanism(name, p.given, module.options)
		if mechanism != nil || err != nil {
			return mechanism, err
		}
	}
	user, password := module.options["username"], module.options["password"]
	switch name {
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		if user == "" || password == "" {
			return nil, connect.ConfigErrorf(jaasKey, "%s must have the options username and password for the mechanism %s", jaasKey, name)
		}
	}
	scramAuth := scram.Auth{User: user, Pass: password, IsToken: strings.EqualFold(module.options["tokenauth"], "true")}
	switch name {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scramAuth.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scramAuth.AsSha512Mechanism(), nil
	case "OAUTHBEARER":
		return oauthMechanism(p, module.options)
	case "GSSAPI":
		return nil, connect.InvalidValue(key, name, "Kerberos is a module of its own, plugin/kerberos: hand in its Mechanism as cluster.Config.Mechanism; "+
			"for another mechanism set sasl.mechanism (GSSAPI is its default)")
	default:
		return nil, connect.InvalidValue(key, name, fmt.Sprintf("the mechanisms are %s; cluster.Config.Mechanism can add others",
			"PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER"))
	}
}
