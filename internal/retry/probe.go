package retry

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// probe watches what a transport does with one attempt, and stops it when it
// takes too long or sends the request too often. The transport may call it from
// other goroutines.
type probe struct {
	stock    bool // the transport is net/http's own, which reports everything
	safe     bool // the request only reads
	maxConns int32
	trace    httptrace.ClientTrace

	asked    atomic.Int32 // how often the transport asked for a connection
	got      atomic.Int32 // how often it got one
	resent   atomic.Int32
	bodyRead atomic.Bool

	timeout   time.Duration
	timer     *time.Timer
	cancel    context.CancelFunc
	expired   atomic.Bool
	exhausted atomic.Bool
}

// watch returns a probe, and the request to send so that it sees it.
func watch(req *http.Request, rt http.RoundTripper, safety Safety, timeout time.Duration, attemptsLeft int) (*probe, *http.Request) {
	p := &probe{safe: safety == Safe, maxConns: int32(min(attemptsLeft, 1<<15)), timeout: timeout} //nolint:gosec // it fits
	_, p.stock = rt.(*http.Transport)
	if !p.stock {
		p.maxConns = max(p.maxConns, 3) // it may need two for itself, such as for a token
	}
	p.trace.GetConn = func(string) { p.asked.Add(1) }
	p.trace.GotConn = p.gotConn
	ctx := httptrace.WithClientTrace(req.Context(), &p.trace)
	ctx, p.cancel = context.WithCancel(ctx)
	p.timer = time.AfterFunc(timeout, func() { p.expired.Store(true); p.cancel() })
	body := req.Body
	req = req.WithContext(ctx)
	if body != nil && !p.stock {
		req.Body = &readTracker{body, &p.bodyRead}
	}
	return p, req
}

func (p *probe) stop() {
	p.timer.Stop()
	p.cancel()
}

// maybeSent reports whether anything may have been sent. A transport that never
// asked for a connection reports nothing, which proves nothing; and one that is
// not net/http's own may have sent the body elsewhere.
func (p *probe) maybeSent() bool {
	return p.asked.Load() == 0 || p.got.Load() > 0 || p.bodyRead.Load()
}

// gotConn counts the requests that net/http sends again by itself, for each of
// which it takes another connection. Over HTTP/1 only those that are safe were
// written at all. Over HTTP/2 it would go on without limit.
func (p *probe) gotConn(info httptrace.GotConnInfo) {
	n := p.got.Add(1)
	secure, ok := info.Conn.(*tls.Conn)
	http2 := ok && secure.ConnectionState().NegotiatedProtocol == "h2"
	switch {
	case n == 1:
		p.timer.Reset(p.timeout) // the wait for a connection does not count
	case !http2 && p.stock && p.safe, http2 && n <= p.maxConns:
		p.resent.Add(1)
	case http2:
		p.exhausted.Store(true)
		p.cancel()
	}
}

// readTracker is a body that tells whether it was read.
type readTracker struct {
	io.ReadCloser
	read *atomic.Bool
}

func (n *readTracker) Read(p []byte) (int, error) {
	n.read.Store(true)
	return n.ReadCloser.Read(p)
}
