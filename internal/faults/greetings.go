package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
)

// greeting is what the server does with a new connection before any request.
type greeting struct {
	fails bool
	proof proof // if it fails
	meet  func(*cell, net.Conn) (net.Conn, bool)
}

// Nothing of a request is sent before a handshake or a tunnel is complete.
const (
	noHandshake = "RFC 8446, 2"
	noTunnelYet = "RFC 9110, 9.3.6"
)

var (
	plain     = greeting{meet: func(_ *cell, conn net.Conn) (net.Conn, bool) { return conn, true }}
	encrypted = handshake(nil, func(l *lab) tls.Certificate { return l.valid })

	ofUnknown = handshake(badCertificate, func(l *lab) tls.Certificate { return l.unknown })
	ofAnother = handshake(badCertificate, func(l *lab) tls.Certificate { return l.another })
	ofPast    = handshake(badCertificate, func(l *lab) tls.Certificate { return l.expired })

	cutOff        = failing(noHandshake, "")
	cutOffConnect = failing(noTunnelYet, "")
	notTLS        = failing(noHandshake, "HTTP/1.1 400 Bad Request\r\n\r\n")
	mute          = greeting{fails: true, proof: refusedBy(noHandshake), meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = io.Copy(io.Discard, conn)
		return conn, false
	}}
	tunnel = greeting{meet: func(c *cell, conn net.Conn) (net.Conn, bool) {
		if !answerConnect(conn, "200 OK") {
			return conn, false
		}
		return encrypted.meet(c, conn)
	}}

	demands12 = demandsCertificate(tls.VersionTLS12)
	demands13 = demandsCertificate(tls.VersionTLS13)
)

var badCertificate = &proof{refused, "RFC 8446, 4.4.2.4"}

// failing answers the first bytes of the client with text, and closes.
func failing(section, text string) greeting {
	return greeting{fails: true, proof: refusedBy(section), meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = conn.Read(make([]byte, 4<<10)) // what is left unread would reset the connection
		_, _ = io.WriteString(conn, text)
		return conn, false
	}}
}

// alert ends the handshake with a fatal alert (RFC 8446, section 6).
func alert(description byte) greeting {
	return failing("RFC 8446, 6.2", "\x15\x03\x03\x00\x02\x02"+string([]byte{description}))
}

const (
	alertHandshakeFailure, alertProtocolVersion, alertInternalError, alertUnrecognizedName = 40, 70, 80, 112
)

// noTunnel answers CONNECT with a status.
func noTunnel(status string) greeting {
	return greeting{fails: true, proof: refusedBy(noTunnelYet), meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
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

func handshake(failure *proof, certificate func(*lab) tls.Certificate) greeting {
	g := greeting{meet: func(c *cell, conn net.Conn) (net.Conn, bool) {
		secured := tls.Server(conn, c.tlsConfig(certificate(c.lab)))
		return secured, secured.HandshakeContext(context.Background()) == nil
	}}
	if failure != nil {
		g.fails, g.proof = true, *failure
	}
	return g
}

// demandsCertificate refuses clients that have no certificate. In TLS 1.3 the
// client has finished its handshake by then, and may have sent its request, which
// the server does not read.
func demandsCertificate(version uint16) greeting {
	return greeting{fails: true, proof: refusedBy("RFC 8446, 4.4.2.4"), meet: func(c *cell, conn net.Conn) (net.Conn, bool) {
		config := c.tlsConfig(c.lab.valid)
		config.ClientAuth, config.MinVersion, config.MaxVersion = tls.RequireAnyClientCert, version, version
		_ = tls.Server(conn, config).HandshakeContext(context.Background())
		_, _ = io.Copy(io.Discard, conn) // the client reads the alert, and closes
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
