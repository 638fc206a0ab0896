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
	status int                 // of its response; 0: none; ownStatus: that of the action's success
	seen   int                 // the status that the client knows when the context ends during the step
	ends   bool                // it ends the connection, also when the context has ended
	play   func(*arrival) bool // whether the connection stays open
}

// arrival is a request that has arrived completely.
type arrival struct {
	*cell
	step

	conn   net.Conn
	raw    *countingConn // below TLS
	stream uint32        // of HTTP/2; 0: HTTP/1.1
}

// take plays the step of a request, and notes what it proves.
func (a *arrival) handle() bool {
	if !a.started.Load() {
		return a.play(a)
	}
	if a.endsDuringAttempt() && (a.seen == 0 || a.proof.known == acted) {
		a.addProof(unknownBy("")) // no status, or an announced success that does not come
	} else {
		a.addProof(a.proof)
	}
	return a.play(a)
}

// strike ends the context of the call, in the columns for that, once the client
// has read what was sent so far. Then it holds the response back until the call
// has returned, unless the step ends the connection.
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

// awaitRead waits until the client has read everything and waits for more.
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

// respond writes a complete response. Where the context ends during it, the last
// byte is missing then.
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

// reset ends the connection so that the client gets an error, not an end.
func (a *arrival) reset() bool {
	_ = a.raw.Conn.(*net.TCPConn).SetLinger(0)
	_ = a.raw.Close()
	return false
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

// success is the first part of a response with 200 and the length given.
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

// The proofs of steps without a status. Where no response came, or a part of
// one, the request may have been processed.
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

var succeed = step{proof: actedBy(okSection), status: ownStatus, seen: ownStatus, play: func(a *arrival) bool {
	if a.stream != 0 {
		return a.interrupt() && a.succeedHTTP2()
	}
	return a.respond(responseHeader(a.action.status, len(a.action.body)), a.action.body)
}}

// lost is a step without a response. The context ends before it.
func lost(section string, play func(*arrival) bool) step {
	return step{proof: unknownBy(section), play: func(a *arrival) bool { return a.interrupt() && play(a) }}
}

// ending is a step that ends the connection, without a response.
func ending(section string, play func(*arrival) bool) step {
	s := lost(section, play)
	s.ends = true
	return s
}

var (
	closed = ending(anyTimeClosed, func(*arrival) bool { return false })
	reset  = ending(anyTimeClosed, func(a *arrival) bool { return a.reset() })
	silent = lost(timeout, func(a *arrival) bool { return a.untilClientGoes() })

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

// after sends interim responses before a success.
func after(interim string) step {
	s := succeed
	s.play = func(a *arrival) bool { return a.write(interim) && succeed.play(a) }
	return s
}
