package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"time"
)

// fixtures are the certificates and bodies that all cells share.
type fixtures struct {
	roots                            *x509.CertPool // trusted by the clients
	valid, unknown, expired, another tls.Certificate
	gzipBombBody                     string // 8 MiB in 8 KiB
	mebibyte, chunk                  string
}

func newFixtures() (*fixtures, error) {
	mebibyte := strings.Repeat(" ", 1<<20)
	f := &fixtures{
		roots:        x509.NewCertPool(),
		gzipBombBody: compress(strings.Repeat(mebibyte, 8)),
		mebibyte:     mebibyte,
		chunk:        chunk(mebibyte),
	}
	for _, c := range []struct {
		to      *tls.Certificate
		name    string
		expires time.Duration
		trusted bool
	}{
		{&f.valid, host, time.Hour, true},
		{&f.unknown, host, time.Hour, false},
		{&f.expired, host, -time.Hour, true},
		{&f.another, "another.losant.test", time.Hour, true},
	} {
		certificate, err := certify(c.name, c.expires)
		if err != nil {
			return nil, err
		}
		if c.trusted {
			f.roots.AddCert(certificate.Leaf)
		}
		*c.to = certificate
	}
	return f, nil
}

// certify returns a self-signed certificate for name.
func certify(name string, expires time.Duration) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             time.Now().Add(-2 * time.Hour),
		NotAfter:              time.Now().Add(expires),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
