package retry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// maxUnwritten limits how many connections a transport may take for one attempt
// without writing on one of them. It exceeds the idle connections that a pool
// usually keeps, each of which may turn out to be closed.
const maxUnwritten = 100

// probe observes what a transport does with one attempt, and stops it when it
// takes too long or sends the request too often. The transport may call it from
// other goroutines, also after the attempt.
type probe struct {
	stock     bool  // the transport is net/http's own, which reports everything
	overHTTP1 bool  // responses came over HTTP/1 so far
	upload    bool  // the body is read while it is sent
	maxWrites int32 // requests that may be written; over HTTP/1, one more may follow before the transport stops
	trace     httptrace.ClientTrace

	asked  atomic.Bool              // the transport asked for a connection
	got    atomic.Int32             // how often it got one
	wrote  atomic.Int32             // how often it wrote the header of the request
	begun  atomic.Bool              // it is writing the header
	since  atomic.Int64             // when it got the last connection, in Unix nanoseconds
	reused atomic.Bool              // it got a connection that had been idle
	idle   atomic.Bool              // the last connection had been idle
	http2  atomic.Bool              // it got one that is known to speak HTTP/2
	secure atomic.Pointer[tls.Conn] // the last one, if it is encrypted

	body      readTracker
	plainBody bool // the body is sent without the readTracker
	timeout   time.Duration
	timer     *time.Timer
	cancel    context.CancelFunc
	expired   atomic.Bool
	refused   atomic.Bool
	exhausted atomic.Bool
}

// watch returns a probe, and the request to send so that the probe sees it.
func (x *call) watch(req *http.Request) (*probe, *http.Request) {
	p := &probe{
		overHTTP1: x.overHTTP1.Load(),
		upload:    x.req.Upload != nil,
		maxWrites: int32(max(1, maxRepeats-x.repeats)), //nolint:gosec // it fits
		timeout:   x.policy.AttemptTimeout,
	}
	_, p.stock = x.req.Transport.(*http.Transport)
	p.trace.GetConn = p.getConn
	p.trace.GotConn = p.gotConn
	p.trace.WroteHeaders = p.wroteHeaders
	if !p.overHTTP1 && x.Safety != Safe {
		// Over HTTP/2, WroteHeaders is called after the header has left. This hook
		// costs an allocation per field, and a safe request does not need it.
		p.trace.WroteHeaderField = func(string, []string) { p.begun.Store(true) }
	}
	ctx := httptrace.WithClientTrace(req.Context(), &p.trace)
	ctx, p.cancel = context.WithCancel(ctx)
	p.timer = time.AfterFunc(p.timeout, p.expire)
	body := req.Body
	req = req.WithContext(ctx)
	req.Header = x.header
	if body != nil || x.Safety != Safe {
		x.trackBody(p, req, body)
	}
	return p, req
}

// trackBody gives req a body that reports whether it was read. net/http repeats a
// request without a body by itself: a GET over HTTP/1 when its connection was
// closed and over HTTP/2 any request, even after a PROTOCOL_ERROR, which proves
// nothing. A body, even an empty one, keeps it from that, and makes it report the
// reason.
func (x *call) trackBody(p *probe, req *http.Request, body io.ReadCloser) {
	p.body.probe, p.body.ReadCloser = p, http.NoBody
	if body != nil {
		p.body.ReadCloser = body
	}
	inMemory := p.stock && p.overHTTP1 && !p.upload
	p.plainBody = inMemory && body != nil // net/http writes a body of its own types in one piece with the header
	if !p.plainBody {
		req.Body = &p.body
	}
	if inMemory && req.Method != http.MethodGet {
		// Over HTTP/1, net/http calls GetBody only when it wrote nothing.
		req.GetBody = func() (io.ReadCloser, error) { return p.rewind(x.req.Body) }
	}
}

var errHTTP2 = errors.New("the protocol changed to HTTP/2")

// rewind returns the body once more.
func (p *probe) rewind(body []byte) (io.ReadCloser, error) {
	if p.http2.Load() {
		return nil, errHTTP2
	}
	p.body.read.Store(true) // perhaps: this body is not tracked
	return io.NopCloser(bytes.NewReader(body)), nil
}

func (p *probe) stop() {
	p.timer.Stop()
	p.cancel()
}

func (p *probe) expire() {
	p.expired.Store(true)
	p.cancel()
}

// getConn forgets what was written on the last connection: over HTTP/1, net/http's
// own transport takes another one for a request with a body only if nothing left on
// the last one, although it called the hooks.
func (p *probe) getConn(string) {
	p.asked.Store(true)
	if p.stock && p.body.probe != nil && !p.http2.Load() {
		p.wrote.Store(0)
		p.begun.Store(false)
	}
}

// gotConn limits how often the transport sends the request, each time on another
// connection or stream.
func (p *probe) gotConn(info httptrace.GotConnInfo) {
	p.since.Store(time.Now().UnixNano())
	p.idle.Store(info.Reused)
	if info.Reused {
		p.reused.Store(true)
	}
	if secure, ok := info.Conn.(*tls.Conn); ok {
		p.secure.Store(secure)
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			p.http2.Store(true)
		}
	}
	n := p.got.Add(1)
	if n == 1 {
		p.timer.Reset(p.timeout) // a connection has a time of its own
	}
	switch wrote := p.wrote.Load(); {
	case wrote >= p.maxWrites || n > maxUnwritten:
		p.exhausted.Store(true)
		p.cancel()
	case wrote > 0 && p.stock && (p.http2.Load() || !p.overHTTP1):
		// Over HTTP/2, net/http repeats a request without a body at once, after a
		// refusal or a PROTOCOL_ERROR. Stop it here: a retry has a wait before it.
		p.refused.Store(true)
		p.cancel()
	}
}

func (p *probe) wroteHeaders() {
	p.wrote.Add(1)
	p.begun.Store(false)
}

// requests returns how many requests may have left.
func (p *probe) requests() int {
	n := int(p.wrote.Load())
	if p.begun.Load() || n == 0 && p.http2.Load() && p.trace.WroteHeaderField == nil {
		n++
	}
	return n
}

// fresh reports whether the transport used new connections only.
func (p *probe) fresh() bool { return p.got.Load() > 0 && !p.reused.Load() }

// settle is called when RoundTrip has returned. Over HTTP/2, net/http returns as soon
// as the context ends. It does not wait for its goroutine that writes the header, which
// may have checked the context a moment before. If that goroutine may be writing now,
// the request counts as sent.
func (p *probe) settle(ctx context.Context) {
	const moment = 20 * time.Millisecond
	mayWrite := p.got.Load() > 0 && !p.exhausted.Load() && (p.http2.Load() || !p.overHTTP1)
	if ctx.Err() == nil || !mayWrite || p.body.probe == nil || p.requests() > 0 {
		return
	}
	if time.Since(time.Unix(0, p.since.Load())) < moment {
		p.begun.Store(true)
		return
	}
	time.Sleep(moment / 4) // the request waited for a stream; if it just got one, the header is written by then
}

// explain returns the TLS alert for which the server closed a new connection, if
// err says only that writing to it failed. crypto/tls keeps an alert, and returns
// it to every reader. Nothing is read from a connection that may serve others, as
// over HTTP/2, or if the error may come from the source of an upload.
func (p *probe) explain(err error) error {
	conn := p.secure.Load()
	dead := !p.http2.Load() && !p.upload && isWriteError(err) || err.Error() == "http2: client conn could not be established"
	if conn == nil || !p.fresh() || !dead {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // in case it is still open
	if _, alert := conn.Read(make([]byte, 1)); isAlert(alert, certificateAlerts) {
		return alert
	}
	return err
}

// maybeSent reports whether anything may have been sent, given that the attempt
// ended with err. net/http's own transport reports every request that it writes;
// only one that is registered for a scheme reports nothing, and it reads the body.
// Any other transport may have sent the request in a way that it does not report.
func (p *probe) maybeSent(err error) bool {
	if p.stock && p.http2.Load() && p.unreadBody() && isWriteError(err) {
		return false // over HTTP/2, the frame with the header did not leave completely
	}
	if p.requests() > 0 || p.body.read.Load() && (!p.asked.Load() || !p.stock) {
		return true
	}
	return !p.stock && (!p.asked.Load() || !isConnecting(err))
}

// unreadBody reports whether the request has a body that was certainly not read.
func (p *probe) unreadBody() bool {
	return p.body.probe != nil && !p.plainBody && !p.body.read.Load()
}

// readTracker is a body that reports whether it was read.
type readTracker struct {
	io.ReadCloser
	probe *probe
	read  atomic.Bool
}

func (b *readTracker) Read(data []byte) (int, error) {
	b.read.Store(true)
	if b.probe.upload {
		b.probe.timer.Reset(b.probe.timeout) // a large body may take long
	}
	return b.ReadCloser.Read(data)
}
