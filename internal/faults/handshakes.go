package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
)

// greeting is the step of a new connection, before any request.
type greeting struct {
	fails  bool
	proof  proof // of a greeting that fails
	accept func(*cell, net.Conn) (net.Conn, bool)
}

// Nothing of a request is sent before a handshake or a tunnel is complete.
const (
	noHandshake = "RFC 8446, 2"
	noTunnelYet = "RFC 9110, 9.3.6"
)

var (
	plain     = greeting{accept: func(_ *cell, conn net.Conn) (net.Conn, bool) { return conn, true }}
	encrypted = handshake(nil, func(f *fixtures) tls.Certificate { return f.valid })

	unknownAuthority   = handshake(badCertificate, func(f *fixtures) tls.Certificate { return f.unknown })
	otherName          = handshake(badCertificate, func(f *fixtures) tls.Certificate { return f.another })
	expiredCertificate = handshake(badCertificate, func(f *fixtures) tls.Certificate { return f.expired })

	cutOff          = failing(noHandshake, "")
	cutOffConnect   = failing(noTunnelYet, "")
	notTLS          = failing(noHandshake, "HTTP/1.1 400 Bad Request\r\n\r\n")
	silentHandshake = greeting{fails: true, proof: notProcessedBy(noHandshake), accept: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = io.Copy(io.Discard, conn)
		return conn, false
	}}
	tunnel = greeting{accept: func(c *cell, conn net.Conn) (net.Conn, bool) {
		if !answerConnect(conn, "200 OK") {
			return conn, false
		}
		return encrypted.accept(c, conn)
	}}

	demands12 = refusesClients(func(config *tls.Config) {
		config.ClientAuth, config.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
	})
	demands13 = refusesClients(func(config *tls.Config) {
		config.ClientAuth, config.MinVersion = tls.RequireAnyClientCert, tls.VersionTLS13
	})

	// rejects13 sends bad_certificate, which crypto/tls does if VerifyConnection fails.
	rejects13 = refusesClients(func(config *tls.Config) {
		config.ClientAuth, config.MinVersion = tls.RequestClientCert, tls.VersionTLS13
		config.VerifyConnection = func(tls.ConnectionState) error { return errors.New("unknown client") }
	})
)

var badCertificate = &proof{notProcessed, "RFC 8446, 4.4.2.4"}

// failing returns a greeting that responds to the first bytes with text and closes
// the connection.
func failing(section, text string) greeting {
	return greeting{fails: true, proof: notProcessedBy(section), accept: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = conn.Read(make([]byte, 4<<10)) // unread bytes would reset the connection
		_, _ = io.WriteString(conn, text)
		return conn, false
	}}
}

// alert returns a greeting that sends a fatal alert (RFC 8446, section 6).
func alert(description byte) greeting {
	return failing("RFC 8446, 6.2", "\x15\x03\x03\x00\x02\x02"+string([]byte{description}))
}

// The alerts (RFC 8446, section 6; 111 and 114: RFC 6066, section 9) that are about
// certificates or configuration. Another handshake fails likewise.
var permanentAlerts = map[byte]string{
	40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
	46: "certificate_unknown", 48: "unknown_ca", 49: "access_denied", 70: "protocol_version", 71: "insufficient_security", 86: "inappropriate_fallback",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
	113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity", 116: "certificate_required",
	120: "no_application_protocol",
}

// The alerts after which another handshake may succeed.
var passingAlerts = map[byte]string{
	10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error",
	internalError: "internal_error", 90: "user_canceled",
}

const internalError = 80

// noTunnel returns a greeting that responds to CONNECT with a status.
func noTunnel(status string) greeting {
	return greeting{fails: true, proof: notProcessedBy(noTunnelYet), accept: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		answerConnect(conn, status)
		return conn, false
	}}
}

func answerConnect(conn net.Conn, status string) bool {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil || req.Method != http.MethodConnect {
		return false
	}
	_, err = io.WriteString(conn, "HTTP/1.1 "+status+"\r\n\r\n")
	return err == nil
}

func handshake(failure *proof, certificate func(*fixtures) tls.Certificate) greeting {
	g := greeting{accept: func(c *cell, conn net.Conn) (net.Conn, bool) {
		secured := tls.Server(conn, c.tlsConfig(certificate(c.fixtures)))
		return secured, secured.HandshakeContext(context.Background()) == nil
	}}
	if failure != nil {
		g.fails, g.proof = true, *failure
	}
	return g
}

// refusesClients returns a greeting that rejects every client because of its
// certificate. In TLS 1.3 the client has finished its handshake by then and may have
// sent its request, which the server does not read.
func refusesClients(configure func(*tls.Config)) greeting {
	return greeting{fails: true, proof: notProcessedBy("RFC 8446, 4.4.2.4"), accept: func(c *cell, conn net.Conn) (net.Conn, bool) {
		config := c.tlsConfig(c.fixtures.valid)
		configure(config)
		_ = tls.Server(conn, config).HandshakeContext(context.Background())
		_, _ = io.Copy(io.Discard, conn) // the client reads the alert and closes the connection
		return conn, false
	}}
}

func (c *cell) tlsConfig(certificate tls.Certificate) *tls.Config {
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if c.fault.http2 {
		config.NextProtos = []string{"h2"}
	}
	return config
}
