package main

import (
	"encoding/binary"
	"io"
	"net"
)

// The parts of HTTP/2 (RFC 9113) that the faults need, because the server of
// net/http cannot break the protocol.
const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeader = 9

	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway = 0, 1, 3, 4, 6, 7

	flagAck, flagEndStream, flagEndHeaders = 1, 1, 4

	codeNone, codeProtocol, codeInternal, codeRefused, codeCancel, codeCalm, codeHTTP11 = 0, 1, 2, 7, 8, 11, 13

	hpackStatus200, hpackStatus404 = "\x88", "\x8d"
)

// serveHTTP2 counts the requests of a connection and plays the script for each
// complete one.
func (c *cell) serveHTTP2(conn net.Conn, raw *countingConn, n int32) {
	if _, err := io.ReadFull(conn, make([]byte, len(preface))); err != nil {
		return
	}
	server := &arrival{cell: c, conn: conn, raw: raw}
	server.frame(frameSettings, 0, 0, "")
	var next step
	for {
		kind, flags, stream, payload, err := readFrame(conn)
		switch {
		case err != nil:
			return
		case kind == frameSettings && flags&flagAck == 0:
			server.frame(frameSettings, flagAck, 0, "")
		case kind == framePing && flags&flagAck == 0:
			server.frame(framePing, flagAck, 0, payload)
		}
		if kind == frameHeaders {
			next = c.arrive(n)
		}
		if ended := (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0; !ended {
			continue
		}
		a := &arrival{cell: c, step: next, conn: conn, raw: raw, stream: stream}
		a.seen = 0 // the context ends before the response, which net/http may discard otherwise
		if !a.handle() {
			return
		}
	}
}

func readFrame(r io.Reader) (kind, flags byte, stream uint32, payload string, err error) {
	var header [frameHeader]byte
	if _, err = io.ReadFull(r, header[:]); err != nil {
		return 0, 0, 0, "", err
	}
	data := make([]byte, int(header[0])<<16|int(header[1])<<8|int(header[2]))
	_, err = io.ReadFull(r, data)
	return header[3], header[4], binary.BigEndian.Uint32(header[5:]), string(data), err
}

func (a *arrival) frame(kind, flags byte, stream uint32, payload string) bool {
	header := []byte{0, 0, byte(len(payload)), kind, flags} //nolint:gosec // all payloads are short
	return a.write(string(binary.BigEndian.AppendUint32(header, stream)) + payload)
}

func number(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// succeedHTTP2 responds with 200, which is a success for every action.
func (a *arrival) succeedHTTP2() bool {
	return a.frame(frameHeaders, flagEndHeaders, a.stream, hpackStatus200) &&
		a.frame(frameData, flagEndStream, a.stream, a.action.body)
}

func (a *arrival) goAway(last, code uint32) bool {
	return a.frame(frameGoAway, 0, 0, number(last)+number(code))
}

func (a *arrival) resetStream(code uint32) bool {
	return a.frame(frameReset, 0, a.stream, number(code))
}

const (
	requestReliability = "RFC 9113, 8.7"
	errorCodes         = "RFC 9113, 7"
	goAways            = "RFC 9113, 6.8"

	allStreams = 1<<31 - 1 // the last stream of a GOAWAY that announces a second one
)

// resetStream returns a step that resets the stream without a response.
func resetStream(code uint32) step {
	return lost(errorCodes, func(a *arrival) bool { return a.resetStream(code) })
}

// refuseStream says that the request was not processed.
var refuseStream = proving(notProcessedBy(requestReliability), resetStream(codeRefused))

// resetStreamAfterHeader resets the stream after the header of a success.
func resetStreamAfterHeader(code uint32) step {
	s := lost("RFC 9113, 8.1", func(a *arrival) bool {
		return a.frame(frameHeaders, flagEndHeaders, a.stream, hpackStatus200) && a.resetStream(code)
	})
	s.status = 200
	return s
}

// unprocessed sends a GOAWAY that says that the request was not processed.
func unprocessed(code uint32) step {
	return proving(notProcessedBy(requestReliability), lost("", func(a *arrival) bool { return a.goAway(0, code) }))
}

// unprocessedAndClosed also closes the connection.
var unprocessedAndClosed = proving(notProcessedBy(requestReliability), lost("", func(a *arrival) bool {
	a.goAway(0, codeNone)
	a.waitUntilRead() // so that a reset does not discard it
	return false
}))

// draining announces the end of the connection and then says which requests are not
// processed.
var draining = proving(notProcessedBy(requestReliability), lost("", func(a *arrival) bool {
	return a.goAway(allStreams, codeNone) && a.goAway(a.stream-1, codeNone)
}))

// goAwayProcessed says that the request may have been processed, and closes the
// connection.
func goAwayProcessed(code uint32) step {
	return ending(goAways, func(a *arrival) bool { a.goAway(a.stream, code); return false })
}

// successHTTP2 is a success with other frames around it.
func successHTTP2(play func(*arrival) bool) step {
	s := succeed
	s.play = func(a *arrival) bool { return a.interrupt() && play(a) }
	return s
}

var (
	goAwayThenSucceed   = successHTTP2(func(a *arrival) bool { return a.goAway(a.stream, codeNone) && a.succeedHTTP2() })
	announceThenSucceed = successHTTP2(func(a *arrival) bool { return a.goAway(allStreams, codeNone) && a.succeedHTTP2() })
	succeedThenReset    = successHTTP2(func(a *arrival) bool { return a.succeedHTTP2() && a.resetStream(codeNone) })
)

// ignoringPings keeps the connection open and responds to nothing, not even to PING.
var ignoringPings = lost("RFC 9113, 6.7", func(a *arrival) bool {
	_, _ = io.Copy(io.Discard, a.conn)
	return false
})

// notFoundHTTP2 responds with 404.
var notFoundHTTP2 = step{proof: statusProofs[404], status: 404, play: func(a *arrival) bool {
	return a.interrupt() && a.frame(frameHeaders, flagEndHeaders, a.stream, hpackStatus404) &&
		a.frame(frameData, flagEndStream, a.stream, `{"type": "NotFound", "message": "no such invite"}`)
}}
