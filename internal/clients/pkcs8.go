package clients

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// The structures of an encrypted private key, RFC 5958 and RFC 8018 (PBES2 with PBKDF2).
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2Params struct {
		KeyDerivation, Encryption pkix.AlgorithmIdentifier
	}
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		Hash       pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
)

// decryptPKCS8 decrypts a private key, as openssl pkcs8 writes it. Iterations are bounded: the file may be hostile.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	const mostIterations = 10_000_000
	var outer encryptedKey
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	if !outer.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("algorithm %v; only PBES2 is supported", outer.Algorithm.Algorithm)
	}
	var params pbes2Params
	if _, err := asn1.Unmarshal(outer.Algorithm.Parameters.FullBytes, &params); err != nil {
		return nil, err
	}
	if !params.KeyDerivation.Algorithm.Equal(oidPBKDF2) {
		return nil, fmt.Errorf("key derivation %v; only PBKDF2 is supported", params.KeyDerivation.Algorithm)
	}
	var kdf pbkdf2Params
	if _, err := asn1.Unmarshal(params.KeyDerivation.Parameters.FullBytes, &kdf); err != nil {
		return nil, err
	}
	if kdf.Iterations < 1 || kdf.Iterations > mostIterations {
		return nil, fmt.Errorf("%d iterations of PBKDF2", kdf.Iterations)
	}
	newHash, ok := map[string]func() hash.Hash{
		"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}[kdf.Hash.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("hash %v is not supported", kdf.Hash.Algorithm)
	}
	newCipher, size, ok := blockCipher(params.Encryption.Algorithm.String())
	if !ok {
		return nil, fmt.Errorf("encryption %v is not supported", params.Encryption.Algorithm)
	}
	var iv []byte
	if _, err := asn1.Unmarshal(params.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	key, err := pbkdf2.Key(newHash, password, kdf.Salt, kdf.Iterations, size)
	if err != nil {
		return nil, err
	}
	block, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	n := block.BlockSize()
	if len(iv) != n || len(outer.Data) == 0 || len(outer.Data)%n != 0 {
		return nil, errors.New("its length is wrong")
	}
	plain := make([]byte, len(outer.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, outer.Data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > n {
		return nil, errors.New("the password is wrong")
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, errors.New("the password is wrong")
		}
	}
	return plain[:len(plain)-padding], nil
}

func blockCipher(oid string) (newCipher func([]byte) (cipher.Block, error), keySize int, ok bool) {
	switch oid {
	case "2.16.840.1.101.3.4.1.2":
		return aes.NewCipher, 16, true
	case "2.16.840.1.101.3.4.1.22":
		return aes.NewCipher, 24, true
	case "2.16.840.1.101.3.4.1.42":
		return aes.NewCipher, 32, true
	case "1.2.840.113549.3.7":
		return des.NewTripleDESCipher, 24, true
	}
	return nil, 0, false
}
