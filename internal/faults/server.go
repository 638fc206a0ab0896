package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// A fault strikes at one of three layers, each a script: its n-th element is for
// the n-th dial, connection or request, and its last one is repeated.
type fault struct {
	dials       []dial
	connections []greeting
	requests    []step

	secure   bool          // the base URL is https
	proxied  bool          // through a proxy
	http2    bool          // instead of HTTP/1.1
	timed    bool          // AttemptTimeout is short, since the fault lasts as long
	maxWait  time.Duration // of the policy; 0: a few milliseconds
	warmUp   *step         // of a call before, over the same client
	idle     bool          // the client notices, before the call, that the connection was closed
	cancelAt point         // in the column "cancelled during the attempt"
}

// setup makes a fault.
type setup func(*fault)

func all(setups ...setup) setup {
	return func(f *fault) {
		for _, s := range setups {
			s(f)
		}
	}
}

func dials(script ...dial) setup { return func(f *fault) { f.dials, f.cancelAt = script, atDial } }

// connections is for TLS and proxies; it is there that a cancelled attempt
// ends, unless the first connection is fine.
func connections(script ...greeting) setup {
	return func(f *fault) {
		f.connections, f.secure = script, true
		if script[0].fails {
			f.cancelAt = atConnection
		}
	}
}

func requests(script ...step) setup { return func(f *fault) { f.requests = script } }

func always(s step) setup { return requests(s) }

func once(s step) setup { return requests(s, succeed) }

// overHTTP2 sends the requests over HTTP/2.
func overHTTP2(script ...step) setup {
	return all(connections(encrypted), requests(script...), func(f *fault) { f.http2 = true })
}

// keptAlive strikes at a connection that was used before.
func keptAlive(script ...step) setup {
	return all(requests(script...), func(f *fault) { f.warmUp = &succeed })
}

// closedWhileIdle ends the connection between two calls.
func closedWhileIdle(f *fault) {
	f.warmUp = &step{play: func(a *arrival) bool { succeed.play(a); return false }}
	f.idle = true
}

func timed(f *fault)       { f.timed = true }
func patient(f *fault)     { f.maxWait = 10 * time.Second }
func proxied(f *fault)     { f.proxied = true }
func afterHeader(f *fault) { f.cancelAt = atHeader }

// point is a place in an attempt at which its context can be cancelled.
type point int

const (
	atArrival point = iota
	atDial
	atConnection
	atHeader // the client has the header of the answer
)

// dial decides what becomes of a dial; nil connects.
type dial func(context.Context, *cell) error

var connect dial

func refused(context.Context, *cell) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

func unreachable(context.Context, *cell) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
}

func temporaryDNS(context.Context, *cell) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}}
}

func noSuchHost(context.Context, *cell) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
}

func hanging(ctx context.Context, c *cell) error {
	select {
	case <-ctx.Done():
	case <-c.returned:
	}
	return &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
}

// greeting is what the server does with a new connection before any request.
type greeting struct {
	fails bool
	meet  func(*cell, net.Conn) (net.Conn, bool)
}

var (
	plain     = greeting{meet: func(_ *cell, conn net.Conn) (net.Conn, bool) { return conn, true }}
	encrypted = handshake(false, func(l *lab) tls.Certificate { return l.valid })

	ofUnknown = handshake(true, func(l *lab) tls.Certificate { return l.unknown })
	ofAnother = handshake(true, func(l *lab) tls.Certificate { return l.another })
	ofPast    = handshake(true, func(l *lab) tls.Certificate { return l.expired })

	cutOff = greeting{fails: true, meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = conn.Read(make([]byte, 1)) // the handshake has begun
		return conn, false
	}}
	mute = greeting{fails: true, meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = io.Copy(io.Discard, conn)
		return conn, false
	}}
	notTLS = greeting{fails: true, meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
		_, _ = conn.Read(make([]byte, 1))
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
		return conn, false
	}}
	tunnel = greeting{meet: func(c *cell, conn net.Conn) (net.Conn, bool) {
		if !answerConnect(conn, "200 OK") {
			return conn, false
		}
		return encrypted.meet(c, conn)
	}}
)

func noTunnel(status string) greeting {
	return greeting{fails: true, meet: func(_ *cell, conn net.Conn) (net.Conn, bool) {
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

func handshake(fails bool, certificate func(*lab) tls.Certificate) greeting {
	return greeting{fails: fails, meet: func(c *cell, conn net.Conn) (net.Conn, bool) {
		config := &tls.Config{Certificates: []tls.Certificate{certificate(c.lab)}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
		if c.fault.http2 {
			config.NextProtos = []string{"h2"}
		}
		secured := tls.Server(conn, config)
		return secured, secured.HandshakeContext(context.Background()) == nil
	}}
}

// step is what the server does with one request.
type step struct {
	refuses bool                // it tells the client that nothing was done
	play    func(*arrival) bool // whether the connection stays open
}

// arrival is a request that has arrived whole.
type arrival struct {
	*cell
	conn   net.Conn
	raw    net.Conn // below TLS
	stream uint32   // of HTTP/2; 0: HTTP/1.1
}

func (c *cell) serveHTTP1(conn, raw net.Conn) {
	reader := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		s := c.arrive()
		if !c.reach(atArrival) || !s.play(&arrival{cell: c, conn: conn, raw: raw}) {
			return
		}
	}
}

func (a *arrival) write(text string) bool {
	_, err := io.WriteString(a.conn, text)
	return err == nil
}

// reset ends the connection so that the client gets an error, not an end.
func (a *arrival) reset() bool {
	_ = a.raw.(*net.TCPConn).SetLinger(0)
	_ = a.raw.Close()
	return false
}

// headerSeen waits until the client has the header that was written.
func (a *arrival) headerSeen() bool {
	select {
	case <-a.header:
	case <-a.returned:
		return false
	}
	if a.isDue(atHeader) {
		<-a.returned
		return false
	}
	return true
}

// untilClientGoes reads until the client closes the connection, or the stream.
func (a *arrival) untilClientGoes() bool {
	if a.stream != 0 {
		return true
	}
	_, _ = io.Copy(io.Discard, a.conn)
	return false
}

func (a *arrival) drip(text string) bool {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for a.write(text) {
		select {
		case <-ticker.C:
		case <-a.returned:
			return false
		}
	}
	return false
}

// success is the first part of an answer with 200 and the length given.
func success(length int, header ...string) string {
	return answerHeader(http.StatusOK, length, header...)
}

func answerHeader(code, length int, header ...string) string {
	lines := append([]string{
		fmt.Sprintf("HTTP/1.1 %d %s", code, http.StatusText(code)),
		fmt.Sprintf("Content-Length: %d", length),
	}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

var succeed = step{play: func(a *arrival) bool {
	if a.stream != 0 {
		return a.succeedHTTP2()
	}
	return a.write(answerHeader(a.action.status, len(a.action.body)) + a.action.body)
}}

func then(play func(*arrival) bool) step { return step{play: play} }

// refuses says whether by a status the client learns that nothing was done.
func refuses(code int) bool {
	return code >= 300 && code <= 499 && code != 303 && code != 304 && code != 408 || code == 501 || code == 505 || code == 511
}

// status answers with an API error.
func status(code int, header ...string) step {
	body := fmt.Sprintf(`{"type": "Type%d", "message": "message %d"}`, code, code)
	return step{refuses: refuses(code), play: func(a *arrival) bool {
		if code == http.StatusNotModified || code == http.StatusNoContent {
			return a.write(fmt.Sprintf("HTTP/1.1 %d %s\r\n\r\n", code, http.StatusText(code)))
		}
		return a.write(answerHeader(code, len(body), header...) + body)
	}}
}

func retryAfter(code int, value string) step { return status(code, "Retry-After: "+value) }

// retryAt asks to wait until a date.
func retryAt(code int, in time.Duration) step {
	s := status(code)
	s.play = func(a *arrival) bool {
		return retryAfter(code, time.Now().Add(in).UTC().Format(http.TimeFormat)).play(a)
	}
	return s
}

func body(text string) step {
	return then(func(a *arrival) bool { return a.write(success(len(text)) + text) })
}

// raw writes a text as it is and ends the connection.
func raw(text string) step {
	return then(func(a *arrival) bool { a.write(text); return false })
}

const page = "<!DOCTYPE html><html><head><title>Gateway</title></head><body>Please log in.</body></html>"

func html(code int) step {
	return step{refuses: refuses(code), play: func(a *arrival) bool {
		return a.write(answerHeader(code, len(page), "Content-Type: text/html") + page)
	}}
}

var (
	closed = then(func(*arrival) bool { return false })
	reset  = then(func(a *arrival) bool { return a.reset() })
	silent = then(func(a *arrival) bool { return a.untilClientGoes() })

	resetInHeader = then(func(a *arrival) bool {
		a.write("HTTP/1.1 200 OK\r\nContent-Le")
		return a.reset()
	})
	closedInHeader = raw("HTTP/1.1 200 OK\r\nContent-Le")
	resetInBody    = then(func(a *arrival) bool {
		a.write(success(len(a.action.body)) + a.action.body[:8])
		return a.headerSeen() && a.reset()
	})
	shorterThanAnnounced = then(func(a *arrival) bool {
		a.write(success(1000) + a.action.body)
		a.headerSeen()
		return false
	})
	shorterThanAnnouncedThenSilent = then(func(a *arrival) bool {
		a.write(success(1000) + a.action.body)
		return a.headerSeen() && a.untilClientGoes()
	})
	longerThanAnnounced = then(func(a *arrival) bool { return a.write(success(8) + a.action.body) })

	dripHeader = then(func(a *arrival) bool { return a.write("HTTP/1.1 200 OK\r\nX-Slow: ") && a.drip("x") })
	dripBody   = then(func(a *arrival) bool {
		return a.write(success(1<<20)+"{") && a.headerSeen() && a.drip(" ")
	})

	fewEarlyHints = then(func(a *arrival) bool {
		return a.write(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", 3)) && succeed.play(a)
	})
	endlessEarlyHints = then(func(a *arrival) bool {
		return a.drip("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
	})
	floodOfEarlyHints = then(func(a *arrival) bool {
		hint := "HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 4<<10) + "\r\n\r\n"
		for a.write(hint) {
		}
		return false
	})
	switching = then(func(a *arrival) bool {
		return a.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n") && a.untilClientGoes()
	})

	untilEnd    = then(func(a *arrival) bool { a.write("HTTP/1.0 200 OK\r\n\r\n" + a.action.body); return false })
	untilEndCut = then(func(a *arrival) bool {
		a.write("HTTP/1.0 200 OK\r\n\r\n" + a.action.body[:8])
		a.headerSeen()
		return false
	})
	chunked = then(func(a *arrival) bool {
		return a.write(chunkedHeader + chunk(a.action.body[:8]) + chunk(a.action.body[8:]) + "0\r\n\r\n")
	})
	chunkedCut = then(func(a *arrival) bool {
		a.write(chunkedHeader + chunk(a.action.body))
		a.headerSeen()
		return false
	})
	chunkedWrong = then(func(a *arrival) bool {
		a.write(chunkedHeader + chunk(a.action.body))
		return a.headerSeen() && a.write("what?\r\n") && a.untilClientGoes()
	})

	hugeAnnounced = then(func(a *arrival) bool {
		return a.write(success(huge)) && a.flood(a.lab.mebibyte)
	})
	hugeChunked = then(func(a *arrival) bool {
		return a.write(chunkedHeader) && a.flood(a.lab.chunk) && a.write("0\r\n\r\n")
	})
	gzipBomb = then(func(a *arrival) bool {
		return a.write(success(len(a.lab.bomb), "Content-Encoding: gzip") + a.lab.bomb)
	})
	gzipCut = then(func(a *arrival) bool {
		packed := compress(a.action.body)
		packed = packed[:len(packed)-12]
		return a.write(success(len(packed), "Content-Encoding: gzip") + packed)
	})
	gzipped = then(func(a *arrival) bool {
		packed := compress(a.action.body)
		return a.write(success(len(packed), "Content-Encoding: gzip") + packed)
	})
	notGzip = then(func(a *arrival) bool {
		return a.write(success(len(a.action.body), "Content-Encoding: gzip") + a.action.body)
	})

	lengthTwice = then(func(a *arrival) bool {
		return a.write(success(len(a.action.body), fmt.Sprintf("Content-Length: %d", len(a.action.body))) + a.action.body)
	})
	lengthsThatDiffer = then(func(a *arrival) bool {
		return a.write(success(len(a.action.body), "Content-Length: 8") + a.action.body)
	})
	lengthNegative = then(func(a *arrival) bool { return a.write(success(-1) + a.action.body) })
)

// cutBody answers with a status and half of its body.
func cutBody(code int) step {
	s := status(code)
	s.play = func(a *arrival) bool {
		a.write(answerHeader(code, 1000) + `{"type": "`)
		a.headerSeen()
		return false
	}
	return s
}

const (
	chunkedHeader = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	huge          = 64 << 20
)

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// flood writes a huge body, as far as the client takes it.
func (a *arrival) flood(mebibyte string) bool {
	for range huge >> 20 {
		if !a.write(mebibyte) {
			return false
		}
	}
	return true
}

func compress(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return packed.String()
}
