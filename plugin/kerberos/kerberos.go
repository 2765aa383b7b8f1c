// Package kerberos lets Kafka clients authenticate by Kerberos (sasl.mechanism=GSSAPI), configured as Java's are:
//
//	security.protocol=SASL_SSL
//	sasl.mechanism=GSSAPI
//	sasl.kerberos.service.name=kafka
//	sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/connect.keytab" principal="connect@EXAMPLE.COM";
//
// It is a module of its own, since it needs an implementation of Kerberos, which few programs do. A program hands it in:
//
//	cluster.New(cluster.Config{Mechanism: kerberos.Mechanism, …})
package kerberos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/kerberos"
)

// Name is the name of the mechanism in sasl.mechanism.
const Name = "GSSAPI"

// Mechanism returns the mechanism GSSAPI for a client with these properties and options of its login module, and nil for
// any other name. It is a cluster.Mechanism.
//
// The service's name is sasl.kerberos.service.name, or the option serviceName. The principal is that of a key tab (options
// keyTab and principal; useKeyTab=true), or the one whose tickets are in a cache (useTicketCache=true, ticketCache, by default
// KRB5CCNAME or /tmp/krb5cc_UID). Realms and their servers are taken from the file that KRB5_CONFIG names, or
// -Djava.security.krb5.conf in KAFKA_OPTS, by default /etc/krb5.conf. Each connection gets its tickets anew, from the key
// tab or cache as it is then.
//
// An error says which file or option is not right; a password or a key is never in it.
func Mechanism(name string, props, jaas map[string]string) (sasl.Mechanism, error) {
	if name != Name {
		return nil, nil
	}
	service := cmp.Or(props["sasl.kerberos.service.name"], jaas["serviceName"])
	if service == "" {
		return nil, errors.New("sasl.kerberos.service.name is not set: GSSAPI needs the name of the brokers' service, which is often kafka")
	}
	cfg, err := realms(configPath())
	if err != nil {
		return nil, err
	}
	if _, err := newClient(cfg, jaas); err != nil { // what is wrong is said before the first connection
		return nil, err
	}
	// Each session has tickets of its own: several Kafka clients may share the mechanism, and the first that is closed must
	// not take the tickets away from the others.
	return kerberos.Kerberos(func(context.Context) (kerberos.Auth, error) {
		c, err := newClient(cfg, jaas)
		return kerberos.Auth{Client: c, Service: service}, err
	}), nil
}

var configOption = regexp.MustCompile(`-Djava\.security\.krb5\.conf=(\S+)`)

func configPath() string {
	if path := os.Getenv("KRB5_CONFIG"); path != "" {
		return path
	}
	if m := configOption.FindStringSubmatch(os.Getenv("KAFKA_OPTS")); m != nil {
		return m[1]
	}
	return "/etc/krb5.conf"
}

func realms(path string) (*config.Config, error) {
	cfg, err := config.Load(path)
	var unsupported config.UnsupportedDirective
	if err != nil && !errors.As(err, &unsupported) { // a directive that is not known, such as include, is passed over
		return nil, fmt.Errorf("Kerberos configuration %s (KRB5_CONFIG names another): %w", path, err)
	}
	return cfg, nil
}

// newClient returns a client that has not asked for a ticket yet.
func newClient(cfg *config.Config, jaas map[string]string) (*client.Client, error) {
	settings := client.DisablePAFXFAST(true) // not every server knows it
	switch {
	case isTrue(jaas["useKeyTab"]):
		path := strings.TrimPrefix(jaas["keyTab"], "file:")
		if path == "" || jaas["principal"] == "" {
			return nil, errors.New("sasl.jaas.config: useKeyTab=true needs the options keyTab, a file, and principal")
		}
		user, realm, ok := strings.Cut(jaas["principal"], "@")
		if !ok {
			if realm = cfg.LibDefaults.DefaultRealm; realm == "" {
				return nil, fmt.Errorf("sasl.jaas.config: principal %q has no realm, and the Kerberos configuration no default_realm", jaas["principal"])
			}
		}
		keys, err := keytab.Load(path)
		if err != nil {
			return nil, fmt.Errorf("sasl.jaas.config: keyTab %s: %w", path, err)
		}
		return client.NewWithKeytab(user, realm, keys, cfg, settings), nil
	case isTrue(jaas["useTicketCache"]):
		path := strings.TrimPrefix(cmp.Or(jaas["ticketCache"], os.Getenv("KRB5CCNAME"), fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid())), "FILE:")
		cache, err := credentials.LoadCCache(path)
		if err != nil {
			return nil, fmt.Errorf("sasl.jaas.config: ticket cache %s: %w", path, err)
		}
		return client.NewFromCCache(cache, cfg, settings)
	}
	return nil, errors.New("sasl.jaas.config: GSSAPI needs the option useKeyTab=true with keyTab and principal, or useTicketCache=true")
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") }
