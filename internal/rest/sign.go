package rest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"net/http"
	"strings"
)

// newHash returns the hash of an algorithm of Java, which does not tell upper from lower case; nil if there is none.
func newHash(algorithm string) func() hash.Hash {
	switch strings.ToLower(algorithm) {
	case "hmacmd5":
		return md5.New
	case "hmacsha1":
		return sha1.New
	case "hmacsha224":
		return sha256.New224
	case "hmacsha256":
		return sha256.New
	case "hmacsha384":
		return sha512.New384
	case "hmacsha512":
		return sha512.New
	}
	return nil
}

// Sign returns the signature of the body of a request to another worker. The algorithm has Java's name; one that is
// unknown is an error.
func Sign(key []byte, algorithm string, body []byte) (*Signature, error) {
	newHash := newHash(algorithm)
	if newHash == nil {
		return nil, fmt.Errorf("Algorithm %s not available", algorithm)
	}
	mac := hmac.New(newHash, key)
	mac.Write(body)
	return &Signature{algorithm, mac.Sum(nil)}, nil
}

// Set puts the signature into the headers of a request.
func (s *Signature) Set(h http.Header) {
	h.Set(HeaderSignature, base64.StdEncoding.EncodeToString(s.MAC))
	h.Set(HeaderAlgorithm, s.Algorithm)
}

// Valid reports whether it is the signature of the body by the key. It takes as long whatever differs.
func (s *Signature) Valid(key, body []byte) bool {
	right, err := Sign(key, s.Algorithm, body)
	return err == nil && hmac.Equal(right.MAC, s.MAC)
}

// ReadSignature returns the signature of a request; nil if it has none. The error is one of the API.
func ReadSignature(h http.Header) (*Signature, error) { return signature(h) }
