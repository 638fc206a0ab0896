package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"
)

// status returns a step that responds with an error of the API.
func status(code int, header ...string) step {
	if code == http.StatusNotModified || code == http.StatusNoContent || code == http.StatusResetContent {
		return response(code, "", header...)
	}
	return response(code, fmt.Sprintf(`{"type": "Type%d", "message": "message %d"}`, code, code), header...)
}

// response returns a step that responds with a status and a body.
func response(code int, body string, header ...string) step {
	s := step{proof: statusProofs[code], status: code, play: func(a *arrival) bool {
		if code == http.StatusNotModified || code == http.StatusNoContent {
			return a.respond(fmt.Sprintf("HTTP/1.1 %d %s\r\n\r\n", code, http.StatusText(code)), "")
		}
		return a.respond(responseHeader(code, len(body), header...), body)
	}}
	if body != "" {
		s.seen = code
	}
	return s
}

// valid returns a step that responds with a status and the body of a success.
func valid(code int, header ...string) step {
	s := response(code, "{}")
	s.play = func(a *arrival) bool {
		return a.respond(responseHeader(code, len(a.action.body), header...), a.action.body)
	}
	return s
}

// proving returns s with another proof.
func proving(p proof, s step) step {
	s.proof = p
	return s
}

func retryAfter(code int, value string) step { return status(code, "Retry-After: "+value) }

// retryAt asks for a wait until a date by the server's clock, which is skewed.
func retryAt(code int, in, skew time.Duration) step {
	s := status(code)
	s.play = func(a *arrival) bool {
		now := time.Now().Add(skew).UTC()
		return status(code,
			"Date: "+now.Format(http.TimeFormat),
			"Retry-After: "+now.Add(in).Format(http.TimeFormat)).play(a)
	}
	return s
}

// throttled returns a step that responds with 429 and a message of the API.
func throttled(message string) step {
	return response(http.StatusTooManyRequests, fmt.Sprintf(`{"type": "RateLimit", "message": %q}`, message))
}

// body returns a step that responds with 200 and a body that proves nothing.
func body(text string) step {
	s := response(http.StatusOK, text)
	s.proof = unknownBy(okSection)
	return s
}

const page = "<!DOCTYPE html><html><head><title>Gateway</title></head><body>Please log in.</body></html>"

func html(code int) step {
	if code == http.StatusOK {
		return body(page)
	}
	return response(code, page, "Content-Type: text/html")
}

// partial returns a step that responds with 200 and a part of a body. The context
// ends when the client has read that part. Then the step continues with then.
func partial(section string, begin func(*arrival) string, then func(*arrival) bool) step {
	return step{proof: unknownBy(section), status: 200, seen: 200, play: func(a *arrival) bool {
		if !a.write(begin(a)) {
			return false
		}
		a.waitUntilRead() // so that a reset does not discard it
		return a.interrupt() && then(a)
	}}
}

func closes(*arrival) bool { return false }

var (
	resetInBody = partial(incomplete, func(a *arrival) string {
		return success(len(a.action.body)) + a.action.body[:8]
	}, func(a *arrival) bool { return a.reset() })
	tooLong                        = func(a *arrival) string { return success(1000) + a.action.body }
	shorterThanAnnounced           = partial(incomplete, tooLong, closes)
	shorterThanAnnouncedThenSilent = partial(timeout, tooLong, func(a *arrival) bool { return a.untilClientCloses() })
	dripBody                       = partial(timeout, func(*arrival) string { return success(1<<20) + "{" },
		func(a *arrival) bool { return a.drip(" ") })
	untilEndCut = partial(incomplete, func(a *arrival) string { return "HTTP/1.0 200 OK\r\n\r\n" + a.action.body[:8] }, closes)
	oneChunk    = func(a *arrival) string { return chunkedHeader + chunk(a.action.body) }
	chunkedCut  = partial(incomplete, oneChunk, closes)

	chunkedWrong = partial("RFC 9112, 7.1", oneChunk, func(a *arrival) bool { return a.write("what?\r\n") && a.untilClientCloses() })
	gzipCut      = coded(unknownBy(incomplete), func(a *arrival) string {
		packed := compress(a.action.body)
		return packed[:len(packed)-12]
	})
	gzipBomb = unseen(coded(unknownBy(okSection), func(a *arrival) string { return a.fixtures.gzipBombBody }))
	gzipped  = coded(processedBy(okSection), func(a *arrival) string { return compress(a.action.body) })
	notGzip  = unseen(coded(unknownBy("RFC 9110, 8.4.1.3"), func(a *arrival) string { return a.action.body }))

	longerThanAnnounced = partial(badLength, func(a *arrival) string { return success(8) + a.action.body[:7] },
		func(a *arrival) bool { return a.write(a.action.body[7:]) })
	hugeAnnounced = step{proof: unknownBy(okSection), status: 200, play: func(a *arrival) bool {
		return a.interrupt() && a.write(success(huge)) && a.flood(a.fixtures.mebibyte)
	}}
	hugeChunked = partial(okSection, func(*arrival) string { return chunkedHeader },
		func(a *arrival) bool { return a.flood(a.fixtures.chunk) && a.write("0\r\n\r\n") })

	untilEnd = complete(200, func(a *arrival) (string, string) { return "HTTP/1.0 200 OK\r\n\r\n", a.action.body }, closes)
	chunked  = complete(200, func(a *arrival) (string, string) {
		return chunkedHeader, chunk(a.action.body[:8]) + chunk(a.action.body[8:]) + "0\r\n\r\n"
	}, nil)
	lengthTwice = complete(200, func(a *arrival) (string, string) {
		return success(len(a.action.body), fmt.Sprintf("Content-Length: %d", len(a.action.body))), a.action.body
	}, nil)
	thenReset = complete(ownStatus, announced, func(a *arrival) bool {
		a.waitUntilRead()
		return a.reset()
	})
	thenCloseNotify = complete(ownStatus, announced, func(a *arrival) bool {
		return a.conn.(*tls.Conn).CloseWrite() == nil && a.untilClientCloses()
	})
	switching = step{proof: statusProofs[101], status: 101, play: func(a *arrival) bool {
		return a.interrupt() && a.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n") && a.untilClientCloses()
	}}

	// smuggled is a 503 followed by a complete success. net/http must not use that
	// as the response to the next request.
	smuggled = step{proof: statusProofs[503], status: 503, seen: 503, play: func(a *arrival) bool {
		return a.write(responseHeader(503, 2)+"{") && a.interrupt() &&
			a.write("}"+responseHeader(a.action.status, len(a.action.body))+a.action.body)
	}}
)

func announced(a *arrival) (header, body string) {
	return responseHeader(a.action.status, len(a.action.body)), a.action.body
}

// complete returns a success in some form. What then sends is not part of it.
func complete(status int, form func(*arrival) (header, body string), then func(*arrival) bool) step {
	s := succeed
	s.status, s.seen = status, status
	s.play = func(a *arrival) bool {
		return a.respond(form(a)) && (then == nil || then(a))
	}
	return s
}

// unseen returns s for a body that the client does not read to its end. The context
// ends before the response.
func unseen(s step) step {
	s.seen = 0
	return s
}

// coded returns a step that responds with 200 and Content-Encoding: gzip.
func coded(p proof, packed func(*arrival) string) step {
	return step{proof: p, status: 200, seen: 200, play: func(a *arrival) bool {
		text := packed(a)
		return a.respond(success(len(text), "Content-Encoding: gzip"), text)
	}}
}

// cutBody returns a step that responds with a status and a part of a body.
func cutBody(code int) step {
	s := partial("", func(*arrival) string { return responseHeader(code, 1000) + `{"type": "` }, closes)
	s.proof, s.status, s.seen = statusProofs[code], code, code
	return s
}

const (
	chunkedHeader = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	huge          = 64 << 20
)

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// flood writes a huge body until the client closes the connection.
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
