package clients

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/gokconnect/connect"
)

const pemType = "PEM"

// tlsConfig returns the TLS configuration of the ssl.* properties. Its errors name files and properties, never what is
// in them.
func (o Options) tlsConfig(p *properties) (*tls.Config, error) {
	config := &tls.Config{}
	var err error
	if config.RootCAs, err = o.trusted(p); err != nil {
		return nil, err
	}
	if config.Certificates, err = o.keys(p); err != nil {
		return nil, err
	}
	if config.MinVersion, config.MaxVersion, err = versions(p.List("ssl.enabled.protocols")); err != nil {
		return nil, err
	}
	if config.CipherSuites, err = cipherSuites(p.List("ssl.cipher.suites")); err != nil {
		return nil, err
	}
	switch algorithm := p.String("ssl.endpoint.identification.algorithm"); {
	case algorithm == "":
		withoutHostname(config)
	case !strings.EqualFold(algorithm, "https"):
		return nil, connect.InvalidValue("ssl.endpoint.identification.algorithm", algorithm, "it must be https or empty")
	}
	return config, nil
}

// withoutHostname makes the configuration verify the chain of the server's certificate, but not the name in it.
func withoutHostname(config *tls.Config) {
	roots := config.RootCAs
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return fmt.Errorf("the server has no certificate")
		}
		intermediates := x509.NewCertPool()
		for _, cert := range state.PeerCertificates[1:] {
			intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
		return err
	}
}

// trusted returns the certificates of the trust store, or nil, which stands for those of the system.
func (o Options) trusted(p *properties) (*x509.CertPool, error) {
	const location, kind = "ssl.truststore.location", "ssl.truststore.type"
	certificates, path := p.Password("ssl.truststore.certificates").Reveal(), p.String(location)
	password, storeType := p.Password("ssl.truststore.password").Reveal(), strings.ToUpper(p.String(kind))
	var certs []*x509.Certificate
	var err error
	switch {
	case certificates != "" && storeType != pemType:
		return nil, connect.ConfigErrorf(kind, "SSL trust store certs can be specified only for PEM, but trust store type is %s.", p.String(kind))
	case certificates != "" && path != "":
		return nil, connect.ConfigErrorf(location, "Both SSL trust store location and separate trust certificates are specified.")
	case (certificates != "" || storeType == pemType && path != "") && password != "":
		return nil, connect.ConfigErrorf("ssl.truststore.password", "SSL trust store password cannot be specified for PEM format.")
	case path == "" && password != "":
		return nil, connect.ConfigErrorf("ssl.truststore.password", "SSL trust store is not specified, but trust store password is specified.")
	case certificates != "":
		if certs, err = pemCertificates([]byte(certificates)); err != nil {
			return nil, badStore("ssl.truststore.certificates", "the value", err)
		}
	case path != "":
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, badStore(location, path, err)
		}
		if storeType == pemType {
			certs, err = pemCertificates(content)
		} else {
			certs, err = o.storeCertificates(storeType, content, password)
		}
		if err != nil {
			return nil, badStore(location, path, err)
		}
	default:
		return nil, nil
	}
	pool := x509.NewCertPool()
	for _, cert := range certs {
		pool.AddCert(cert)
	}
	return pool, nil
}

// keys returns the client's keys and certificates, or none.
func (o Options) keys(p *properties) ([]tls.Certificate, error) {
	const location, kind = "ssl.keystore.location", "ssl.keystore.type"
	key, chain := p.Password("ssl.keystore.key").Reveal(), p.Password("ssl.keystore.certificate.chain").Reveal()
	path, storeType := p.String(location), strings.ToUpper(p.String(kind))
	password, keyPassword := p.Password("ssl.keystore.password").Reveal(), p.Password("ssl.key.password").Reveal()
	switch {
	case key != "" && storeType != pemType:
		return nil, connect.ConfigErrorf(kind, "SSL private key can be specified only for PEM, but key store type is %s.", p.String(kind))
	case key != "" && chain == "":
		return nil, connect.ConfigErrorf("ssl.keystore.certificate.chain", "SSL private key is specified, but certificate chain is not specified.")
	case key != "" && path != "":
		return nil, connect.ConfigErrorf(location, "Both SSL key store location and separate private key are specified.")
	case key == "" && chain != "":
		return nil, connect.ConfigErrorf("ssl.keystore.key", "SSL certificate chain is specified, but private key is not specified")
	case (key != "" || storeType == pemType && path != "") && password != "":
		return nil, connect.ConfigErrorf("ssl.keystore.password", "SSL key store password cannot be specified with PEM format, only key password may be specified.")
	case key != "":
		cert, err := pemKeyPair([]byte(key), []byte(chain), keyPassword)
		if err != nil {
			return nil, badStore("ssl.keystore.key", "the value", err)
		}
		return []tls.Certificate{cert}, nil
	case path == "" && password != "":
		return nil, connect.ConfigErrorf("ssl.keystore.password", "SSL key store is not specified, but key store password is specified.")
	case path == "":
		return nil, nil
	case storeType != pemType && password == "":
		return nil, connect.ConfigErrorf("ssl.keystore.password", "SSL key store is specified, but key store password is not specified.")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, badStore(location, path, err)
	}
	if storeType == pemType {
		cert, err := pemKeyPair(content, content, keyPassword)
		if err != nil {
			return nil, badStore(location, path, err)
		}
		return []tls.Certificate{cert}, nil
	}
	if keyPassword == "" {
		keyPassword = password
	}
	certs, err := o.storeKeys(storeType, content, password, keyPassword)
	if err != nil {
		return nil, badStore(location, path, err)
	}
	return certs, nil
}

func badStore(key, what string, err error) error {
	return &connect.ConfigError{Key: key, Message: fmt.Sprintf("Invalid %s: %s can't be used: %v", key, what, err), Err: err}
}

var tlsVersions = map[string]uint16{"TLSV1": tls.VersionTLS10, "TLSV1.1": tls.VersionTLS11, "TLSV1.2": tls.VersionTLS12, "TLSV1.3": tls.VersionTLS13}

// versions returns the lowest and the highest of the protocols; what lies between is enabled as well.
func versions(protocols []string) (lowest, highest uint16, err error) {
	for _, protocol := range protocols {
		version, ok := tlsVersions[strings.ToUpper(protocol)]
		if !ok {
			return 0, 0, connect.InvalidValue("ssl.enabled.protocols", protocol, "it must be one of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3")
		}
		if lowest == 0 || version < lowest {
			lowest = version
		}
		highest = max(highest, version)
	}
	return lowest, highest, nil
}

func cipherSuites(names []string) ([]uint16, error) {
	var ids []uint16
	known := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
next:
	for _, name := range names {
		for _, suite := range known {
			if suite.Name == name {
				ids = append(ids, suite.ID)
				continue next
			}
		}
		return nil, connect.InvalidValue("ssl.cipher.suites", name, "it is no cipher suite that the client has")
	}
	return ids, nil
}
