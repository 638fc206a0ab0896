package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// step is what the server does with one request.
type step struct {
	proof  proof
	status int                 // of the response; 0: none; ownStatus: the status of the action's success
	seen   int                 // the status that the client has received when the context ends during the step
	ends   bool                // it closes the connection, also when the context has ended
	play   func(*arrival) bool // reports whether the connection stays open
}

// arrival is a complete request that the server has received.
type arrival struct {
	*cell
	step

	conn   net.Conn
	raw    *countingConn // below TLS
	stream uint32        // of HTTP/2; 0: HTTP/1.1
}

// handle plays the step of a request and records its proof.
func (a *arrival) handle() bool {
	if !a.started.Load() {
		return a.play(a)
	}
	if a.endsDuringAttempt() && (a.seen == 0 || a.proof.known == processed) {
		a.addProof(unknownBy("")) // no status, or a success whose body is missing
	} else {
		a.addProof(a.proof)
	}
	return a.play(a)
}

// interrupt ends the context of the call in the columns that require it, as soon as
// the client has read what was sent. Unless the step closes the connection, the
// rest is held back until the call has returned. It reports whether to continue.
func (a *arrival) interrupt() bool {
	if !a.endsDuringAttempt() {
		return true
	}
	a.waitUntilRead()
	a.endContext()
	if a.ends {
		return true
	}
	<-a.returned
	return false
}

// waitUntilRead waits until the client has read everything and reads again.
func (a *arrival) waitUntilRead() {
	value, ok := a.clients.Load(a.conn.RemoteAddr().String())
	if !ok {
		return
	}
	client := value.(*watchedConn)
	for client.consumed.Load() < a.raw.sent.Load() {
		select {
		case <-client.reads:
		case <-client.closed:
			return
		case <-a.returned:
			return
		}
	}
}

func (c *cell) serveHTTP1(conn net.Conn, raw *countingConn, n int32) {
	reader := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		a := &arrival{cell: c, step: c.arrive(n), conn: conn, raw: raw}
		if !a.handle() {
			return
		}
	}
}

func (a *arrival) write(text string) bool {
	_, err := io.WriteString(a.conn, text)
	return err == nil
}

// respond writes a complete response. If the context ends during it, the last byte
// is missing.
func (a *arrival) respond(header, body string) bool {
	if !a.endsDuringAttempt() {
		return a.write(header + body)
	}
	last := max(0, len(body)-1)
	if a.seen == 0 {
		return a.interrupt() && a.write(header+body)
	}
	return a.write(header+body[:last]) && a.interrupt() && a.write(body[last:])
}

// reset closes the connection with a TCP reset.
func (a *arrival) reset() bool {
	_ = a.raw.Conn.(*net.TCPConn).SetLinger(0)
	_ = a.raw.Close()
	return false
}

// untilClientCloses reads until the client closes the connection. A stream stays
// open.
func (a *arrival) untilClientCloses() bool {
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
		if !a.interrupt() {
			return false
		}
		select {
		case <-ticker.C:
		case <-a.returned:
			return false
		}
	}
	return false
}

// success returns the header of a response with 200 and the given length.
func success(length int, header ...string) string {
	return responseHeader(http.StatusOK, length, header...)
}

func responseHeader(code, length int, header ...string) string {
	lines := append([]string{
		fmt.Sprintf("HTTP/1.1 %d %s", code, http.StatusText(code)),
		fmt.Sprintf("Content-Length: %d", length),
	}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// The sections that prove steps without a status. Without a complete response, the
// request may have been processed.
const (
	anyTimeClosed = "RFC 9112, 9.3.1"
	incomplete    = "RFC 9112, 8"
	timeout       = "RFC 9112, 9.5"
	malformed     = "RFC 9112, 4"
	badLength     = "RFC 9112, 6.3"
	interim       = "RFC 9110, 15.2"
	okSection     = "RFC 9110, 15.3.1"
)

const ownStatus = -1

var succeed = step{proof: processedBy(okSection), status: ownStatus, seen: ownStatus, play: func(a *arrival) bool {
	if a.stream != 0 {
		return a.interrupt() && a.succeedHTTP2()
	}
	return a.respond(responseHeader(a.action.status, len(a.action.body)), a.action.body)
}}

// lost returns a step without a response. The context ends before play.
func lost(section string, play func(*arrival) bool) step {
	return step{proof: unknownBy(section), play: func(a *arrival) bool { return a.interrupt() && play(a) }}
}

// ending returns a step that closes the connection without a response.
func ending(section string, play func(*arrival) bool) step {
	s := lost(section, play)
	s.ends = true
	return s
}

var (
	closed = ending(anyTimeClosed, func(*arrival) bool { return false })
	reset  = ending(anyTimeClosed, func(a *arrival) bool { return a.reset() })
	silent = lost(timeout, func(a *arrival) bool { return a.untilClientCloses() })

	resetInHeader = step{proof: unknownBy(incomplete), ends: true, play: func(a *arrival) bool {
		a.write("HTTP/1.1 200 OK\r\nContent-Le")
		a.interrupt()
		return a.reset()
	}}
	closedInHeader = step{proof: unknownBy(incomplete), ends: true, play: func(a *arrival) bool {
		a.write("HTTP/1.1 200 OK\r\nContent-Le")
		a.interrupt()
		return false
	}}
	notHTTP = ending(malformed, func(a *arrival) bool { a.write("SSH-2.0-OpenSSH_9.9\r\n"); return false })

	dripHeader = step{proof: unknownBy(timeout), play: func(a *arrival) bool {
		return a.write("HTTP/1.1 200 OK\r\nX-Slow: ") && a.drip("x")
	}}
	endlessEarlyHints = step{proof: unknownBy(interim), play: func(a *arrival) bool {
		return a.drip("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
	}}
	floodOfEarlyHints = step{proof: unknownBy(interim), play: func(a *arrival) bool {
		hint := "HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 4<<10) + "\r\n\r\n"
		for a.write(hint) {
			if !a.interrupt() {
				return false
			}
		}
		return false
	}}

	lengthsThatDiffer = lost(badLength, func(a *arrival) bool {
		return a.write(success(len(a.action.body), "Content-Length: 8") + a.action.body)
	})
	lengthNegative = lost(badLength, func(a *arrival) bool { return a.write(success(-1) + a.action.body) })
)

// after returns a success that follows interim responses.
func after(interim string) step {
	s := succeed
	s.play = func(a *arrival) bool { return a.write(interim) && succeed.play(a) }
	return s
}
