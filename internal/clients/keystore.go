package clients

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

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
