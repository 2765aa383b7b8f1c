package clients

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

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

// storeCertificates returns the trusted certificates of a JKS or PKCS#12 store.
func storeCertificates(storeType string, content []byte, password string) ([]*x509.Certificate, error) {
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

// storeKeys returns the private keys of a JKS or PKCS#12 store with their certificates.
func storeKeys(storeType string, content []byte, password, keyPassword string) ([]tls.Certificate, error) {
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

func pemBlocks(content []byte) []*pem.Block {
	var blocks []*pem.Block
	for {
		block, rest := pem.Decode(content)
		if block == nil {
			return blocks
		}
		blocks = append(blocks, block)
		content = rest
	}
}

func pemCertificates(content []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for _, block := range pemBlocks(content) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("no matching CERTIFICATE entries in PEM file")
	}
	return certs, nil
}

// pemKeyPair returns a private key and its certificate chain.
func pemKeyPair(key, chain []byte, password string) (tls.Certificate, error) {
	certs, err := pemCertificates(chain)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := pemKey(key, password)
	if err != nil {
		return tls.Certificate{}, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("a key of type %T can't sign", private)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(certs[0].PublicKey) {
		return tls.Certificate{}, errors.New("the private key does not belong to the first certificate")
	}
	cert := tls.Certificate{PrivateKey: private, Leaf: certs[0]}
	for _, c := range certs {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return cert, nil
}

func pemKey(content []byte, password string) (any, error) {
	for _, block := range pemBlocks(content) {
		switch block.Type {
		case "PRIVATE KEY":
			return x509.ParsePKCS8PrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			if password == "" {
				return nil, errors.New("the private key is encrypted, but ssl.key.password is not specified")
			}
			der, err := decryptPKCS8(block.Bytes, password)
			if err != nil {
				return nil, fmt.Errorf("the private key can't be decrypted: %w", err)
			}
			return x509.ParsePKCS8PrivateKey(der)
		case "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			return x509.ParseECPrivateKey(block.Bytes)
		}
	}
	return nil, errors.New("no matching PRIVATE KEY entries in PEM file")
}
