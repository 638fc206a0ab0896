package retry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The fault table (internal/faults) proves the rules of outcome.go. The tests of
// this file prove what no server can show.

// TestSafetyOfMethods covers the methods that the fault table does not send.
func TestSafetyOfMethods(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]Safety{
		"GET": Safe, "HEAD": Safe, "OPTIONS": Safe, "DELETE": Idempotent, "PUT": Idempotent, "POST": Unsafe, "PATCH": Unsafe, "": Unsafe, "get": Unsafe, "QUERY": Unsafe,
	} {
		assert.Equal(t, want, safetyOf(method), method)
	}
}

// TestLocalAlertIsNotPermanent covers an alert that crypto/tls itself sends: no
// server can make it send one that would be permanent.
func TestLocalAlertIsNotPermanent(t *testing.T) {
	t.Parallel()
	err := &net.OpError{Op: "local error", Err: errors.New(tls.AlertError(40).Error())}
	assert.Equal(t, NotSent, outcomeOfError(err, &probe{stock: true}))
}

// TestProxyRefusalWithoutProxyError covers a transport without
// OnProxyConnectResponse, which reports the words of the status alone.
func TestProxyRefusalWithoutProxyError(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]Outcome{"Proxy Authentication Required": Unsendable, "Forbidden": Unsendable, "Too Many Requests": NotSent} {
		assert.Equal(t, want, outcomeOfError(errors.New(words), &probe{stock: true}), words)
	}
}

// TestOnlyExactWordsProveUnprocessed covers the words that a server can put into
// other errors, and those of the Go versions that the tests do not run with.
func TestOnlyExactWordsProveUnprocessed(t *testing.T) {
	t.Parallel()
	refused := "stream error: stream ID 17; REFUSED_STREAM; received from peer"
	goAway := "http2: Transport received Server's graceful shutdown GOAWAY"
	after := func(words string) string {
		return "http2: Transport: cannot retry err [" + words + "] after Request.Body was written; define Request.GetBody to avoid this error"
	}
	for words, want := range map[string]bool{
		refused: true, goAway: true, after(refused): true, after(goAway): true, "net/http: cannot rewind body after connection loss": true, "http2: client conn not usable": true,

		"http2: Transport received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM": true,

		"stream error: stream ID 17; PROTOCOL_ERROR; received from peer":                                                false,
		after("stream error: stream ID 17; PROTOCOL_ERROR; received from peer"):                                         false,
		"stream error: stream ID 17; REFUSED_STREAM":                                                                    false,
		"malformed HTTP status code \"" + refused + "\"":                                                                false,
		"net/http: HTTP/1.x transport connection broken: " + refused:                                                    false,
		`http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug="` + goAway + `"`: false,
		"stream error: stream ID ; INTERNAL_ERROR; x; REFUSED_STREAM; received from peer":                               false,
	} {
		assert.Equal(t, want, unprocessed(errors.New(words)), words)
		assert.Equal(t, want, unprocessed(fmt.Errorf("x: %w", errors.New(words))), words)
	}
}

// TestOutcomeOfAnErrorWithWhatTheTransportReported covers what no server can make
// net/http do on purpose.
func TestOutcomeOfAnErrorWithWhatTheTransportReported(t *testing.T) {
	t.Parallel()
	failedWrite := &net.OpError{Op: "write", Err: errors.New("broken pipe")}
	certificate := &net.OpError{Op: "remote error", Err: errors.New(tls.AlertError(42).Error())}
	internal := &net.OpError{Op: "remote error", Err: errors.New(tls.AlertError(80).Error())}
	wrote := func(p *probe) { p.got.Store(1); p.wrote.Store(1) }
	tracked := func(p *probe) { p.body.probe = p }
	asked := func(p *probe) { p.asked.Store(true) }
	http2 := func(p *probe) { p.http2.Store(true) }
	for name, row := range map[string]struct {
		err   error
		stock bool
		with  []func(*probe)
		want  Outcome
	}{
		"HTTP/2, the header did not leave": {failedWrite, true, []func(*probe){wrote, tracked, http2}, NotSent},
		"HTTP/2, the body was read":        {failedWrite, true, []func(*probe){wrote, tracked, http2, func(p *probe) { p.body.read.Store(true) }}, Lost},
		"HTTP/2, the body is not tracked":  {failedWrite, true, []func(*probe){wrote, tracked, http2, func(p *probe) { p.plainBody = true }}, Lost},
		"HTTP/2, no body":                  {failedWrite, true, []func(*probe){wrote, http2}, Lost},
		"HTTP/2, a failed read":            {io.ErrUnexpectedEOF, true, []func(*probe){wrote, tracked, http2}, Lost},
		"HTTP/1, a failed write":           {failedWrite, true, []func(*probe){wrote, tracked}, Lost},
		"another transport":                {failedWrite, false, []func(*probe){wrote, tracked, http2}, Lost},

		"refused, and stopped for good": {io.ErrUnexpectedEOF, true, []func(*probe){wrote, func(p *probe) { p.refused.Store(true); p.exhausted.Store(true) }}, Lost},
		"not usable, and not written":   {errors.New("http2: client conn not usable"), true, nil, Unprocessed},

		"a certificate demanded on a new connection":   {certificate, true, []func(*probe){wrote}, Unsendable},
		"a certificate demanded on an idle connection": {certificate, true, []func(*probe){wrote, func(p *probe) { p.reused.Store(true) }}, Lost},
		"a certificate demanded, and nothing reported": {certificate, false, nil, Lost},
		"a certificate demanded of another transport":  {certificate, false, []func(*probe){asked}, Unsendable},
		"another alert of another transport":           {internal, false, []func(*probe){asked}, NotSent},
		"a proxy that another transport cannot reach":  {&net.OpError{Op: "proxyconnect", Err: io.EOF}, false, []func(*probe){asked}, NotSent},
		"an unknown host of another transport":         {&net.DNSError{Err: "no such host", IsNotFound: true}, false, []func(*probe){asked}, Unsendable},
		"a lost connection of another transport":       {&net.OpError{Op: "read", Err: io.EOF}, false, []func(*probe){asked}, Lost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &probe{stock: row.stock}
			p.trace.WroteHeaderField = func(string, []string) {}
			for _, change := range row.with {
				change(p)
			}
			assert.Equal(t, row.want, outcomeOfError(row.err, p))
		})
	}
}
