// Package keystore opens the key and trust stores of Java: JKS and PKCS#12. It is a package of its own so that a program that
// needs neither does not link them:
//
//	cluster.Config{KeyStores: keystore.Java{}, Worker: connect.Config{"ssl.truststore.location": "trust.p12", …}}
//
// PEM files, which need no package, are the alternative (ssl.truststore.type=PEM).
package keystore

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// Java opens JKS and PKCS#12 stores. It is safe for concurrent use.
type Java struct{}

// Java opens a store of type JKS also if it is a PKCS#12 file, so the file tells; the type is only checked.
const jksMagic = 0xFEEDFEED

func isJKS(storeType string, content []byte) (bool, error) {
	switch storeType {
	case "JKS", "PKCS12":
		return len(content) >= 4 && binary.BigEndian.Uint32(content) == jksMagic, nil
	default:
		return false, fmt.Errorf("its type is %s; JKS, PKCS12 and PEM are supported", storeType)
	}
}

func openJKS(content []byte, password string) (keystore.KeyStore, error) {
	// In order of the aliases, and with the names as they are, as keytool writes them.
	ks := keystore.New(keystore.WithOrderedAliases(), keystore.WithCaseExactAliases())
	if err := ks.Load(bytes.NewReader(content), []byte(password)); err != nil {
		return ks, fmt.Errorf("the store can't be opened with its password: %w", err)
	}
	return ks, nil
}

// Certificates returns the trusted certificates of a JKS or PKCS#12 store.
func (Java) Certificates(storeType string, content []byte, password string) ([]*x509.Certificate, error) {
	jks, err := isJKS(storeType, content)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	if !jks {
		if certs, err = pkcs12.DecodeTrustStore(content, password); err != nil {
			return nil, err
		}
	} else {
		ks, err := openJKS(content, password)
		if err != nil {
			return nil, err
		}
		for _, alias := range ks.Aliases() {
			if !ks.IsTrustedCertificateEntry(alias) {
				continue
			}
			entry, err := ks.GetTrustedCertificateEntry(alias)
			if err != nil {
				return nil, fmt.Errorf("entry %s: %w", alias, err)
			}
			cert, err := x509.ParseCertificate(entry.Certificate.Content)
			if err != nil {
				return nil, fmt.Errorf("entry %s: %w", alias, err)
			}
			certs = append(certs, cert)
		}
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no trusted certificate in it")
	}
	return certs, nil
}

// Keys returns the private keys of a JKS or PKCS#12 store with their certificates.
func (Java) Keys(storeType string, content []byte, password, keyPassword string) ([]tls.Certificate, error) {
	jks, err := isJKS(storeType, content)
	if err != nil {
		return nil, err
	}
	if !jks {
		key, leaf, chain, err := pkcs12.DecodeChain(content, password)
		if err != nil {
			return nil, err
		}
		cert := tls.Certificate{PrivateKey: key, Leaf: leaf, Certificate: [][]byte{leaf.Raw}}
		for _, c := range chain {
			cert.Certificate = append(cert.Certificate, c.Raw)
		}
		return []tls.Certificate{cert}, nil
	}
	ks, err := openJKS(content, password)
	if err != nil {
		return nil, err
	}
	var certs []tls.Certificate
	for _, alias := range ks.Aliases() {
		if !ks.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := ks.GetPrivateKeyEntry(alias, []byte(keyPassword))
		if err != nil {
			return nil, fmt.Errorf("entry %s can't be opened with the key's password: %w", alias, err)
		}
		key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("entry %s: %w", alias, err)
		}
		cert := tls.Certificate{PrivateKey: key}
		for _, c := range entry.CertificateChain {
			cert.Certificate = append(cert.Certificate, c.Content)
		}
		if len(cert.Certificate) == 0 {
			return nil, fmt.Errorf("entry %s has no certificate", alias)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no private key in it")
	}
	return certs, nil
}
