package main

import (
	"encoding/binary"
	"io"
	"net"
)

// The parts of HTTP/2 (RFC 9113) that its faults need, written by hand: net/http
// has no server that misbehaves on purpose.
const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeader = 9

	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway = 0, 1, 3, 4, 6, 7

	flagAck, flagEndStream, flagEndHeaders = 1, 1, 4

	codeNone, codeProtocol, codeInternal, codeRefused, codeCalm = 0, 1, 2, 7, 11

	hpackStatus200, hpackStatus404 = "\x88", "\x8d"
)

// serveHTTP2 counts the requests of a connection and plays the script for each
// once it has arrived whole.
func (c *cell) serveHTTP2(conn, raw net.Conn) {
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
			next = c.arrive()
		}
		if whole := (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0; !whole {
			continue
		}
		if !c.reach(atArrival) || !next.play(&arrival{cell: c, conn: conn, raw: raw, stream: stream}) {
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

// succeedHTTP2 answers with 200, which the library takes as success for every
// action.
func (a *arrival) succeedHTTP2() bool {
	return a.frame(frameHeaders, flagEndHeaders, a.stream, hpackStatus200) &&
		a.frame(frameData, flagEndStream, a.stream, a.action.body)
}

// resetStream ends the stream of the request without an answer.
func resetStream(code uint32) step {
	return step{refuses: code == codeRefused, play: func(a *arrival) bool { return a.frame(frameReset, 0, a.stream, number(code)) }}
}

// resetStreamAfterHeader ends it after the header of a success.
func resetStreamAfterHeader(code uint32) step {
	return then(func(a *arrival) bool {
		return a.frame(frameHeaders, flagEndHeaders, a.stream, hpackStatus200) &&
			a.frame(frameReset, 0, a.stream, number(code))
	})
}

// unprocessed says that the connection ends and that the request was not
// looked at.
var unprocessed = step{refuses: true, play: func(a *arrival) bool {
	return a.frame(frameGoAway, 0, 0, number(0)+number(codeNone))
}}

// goAwayProcessed says that the request was looked at, and ends the connection.
func goAwayProcessed(code uint32) step {
	return then(func(a *arrival) bool {
		a.frame(frameGoAway, 0, 0, number(a.stream)+number(code))
		return false
	})
}

// goAwayThenSucceed says that no more requests are welcome, and answers this one.
func goAwayThenSucceed(a *arrival) bool {
	return a.frame(frameGoAway, 0, 0, number(a.stream)+number(codeNone)) && a.succeedHTTP2()
}

// notFoundHTTP2 answers with 404.
var notFoundHTTP2 = step{refuses: true, play: func(a *arrival) bool {
	return a.frame(frameHeaders, flagEndHeaders|flagEndStream, a.stream, hpackStatus404)
}}
