package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	losant "github.com/losant-community/losant-rest-go"
)

// cell is one call to which a fault happens, with its own server.
type cell struct {
	fixtures *fixtures
	fault    fault
	action   action
	mode     mode
	ctx      *callContext

	timeout time.Duration // of an attempt, if the fault is timed

	started      atomic.Bool   // the call has begun, after the one to warm up
	returned     chan struct{} // closed when the call has returned
	clientClosed chan struct{} // signals that the client closed a connection
	written      chan struct{} // signals that the client wrote
	reused       chan struct{} // closed when the client takes a connection from its pool
	waiting      atomic.Bool   // the library logged that it waits for another attempt

	proxies, dialed, connected, arrived atomic.Int32
	dnsFailures                         atomic.Int32 // lookups, and dials to the addresses that were looked up
	clients                             sync.Map     // *watched by its local address
	conns                               sync.Map
	group                               sync.WaitGroup

	mu     sync.Mutex
	proofs []proof // of the steps that were played
	waits  []time.Duration
}

func newCell(shared *fixtures, f fault, a action, m mode) *cell {
	return &cell{
		fixtures: shared, fault: f, action: a, mode: m, ctx: newContext(), timeout: shortTimeout,
		returned: make(chan struct{}), reused: make(chan struct{}),
		clientClosed: make(chan struct{}, 1), written: make(chan struct{}, 1),
	}
}

// arrive counts a request of the n-th connection and returns its step.
func (c *cell) arrive(n int32) step {
	if !c.started.Load() {
		return *c.fault.warmUp
	}
	number := c.arrived.Add(1)
	if c.fault.byConnection {
		number = n
	}
	return nth(c.fault.requests, number)
}

func nth[T any](script []T, n int32) T { return script[min(int(n), len(script))-1] }

func (c *cell) addProof(p proof) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proofs = append(c.proofs, p)
}

// endsDuringAttempt reports whether the context ends during the attempt.
func (c *cell) endsDuringAttempt() bool {
	return c.started.Load() && (c.mode == deadlinePassed || c.mode == cancelledDuring)
}

// endContext ends the context of the call.
func (c *cell) endContext() {
	if c.mode == deadlinePassed {
		c.ctx.finish(context.DeadlineExceeded)
	} else {
		c.ctx.finish(context.Canceled)
	}
}

// playDial plays a step that precedes a connection. If the step fails, the context
// ends before it.
func (c *cell) playDial(ctx context.Context, script []dial, n *atomic.Int32) error {
	if len(script) == 0 || !c.started.Load() && c.fault.warmUp != nil {
		return nil
	}
	d := nth(script, n.Add(1))
	if d.do == nil {
		return nil
	}
	if c.endsDuringAttempt() {
		c.endContext()
	}
	return d.do(ctx, c)
}

// serve accepts connections until the listener is closed.
func (c *cell) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		c.conns.Store(conn, nil)
		c.group.Go(func() {
			defer func() { _ = conn.Close() }()
			c.greet(&countingConn{Conn: conn})
		})
	}
}

func (c *cell) greet(raw *countingConn) {
	n := c.connected.Add(1)
	g := nth(c.fault.connections, n)
	if g.fails && c.endsDuringAttempt() {
		c.endContext()
	}
	conn, ok := g.accept(c, raw)
	switch {
	case !ok:
	case c.fault.http2:
		c.serveHTTP2(conn, raw, n)
	default:
		c.serveHTTP1(conn, raw, n)
	}
}

// run makes the call and cleans up after it.
func (c *cell) run() (result, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	transport := c.transport(listener.Addr())
	c.group.Go(func() { c.serve(listener) })
	defer c.group.Wait()
	defer func() {
		close(c.returned)
		_ = listener.Close()
		transport.CloseIdleConnections()
		c.conns.Range(func(conn, _ any) bool { _ = conn.(net.Conn).Close(); return true })
	}()
	client, err := c.client(transport)
	if err != nil {
		return result{}, err
	}
	if c.fault.warmUp != nil {
		if err := c.action.call(context.Background(), client); err != nil {
			return result{}, fmt.Errorf("the call to warm up: %w", err)
		}
	}
	return c.measure(client), nil
}

func (c *cell) transport(address net.Addr) *http.Transport {
	dialer := new(net.Dialer)
	if c.fault.dns != nil {
		dialer = c.fault.dns.dialer(&c.dnsFailures)
	}
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, requested string) (net.Conn, error) {
			return c.dial(ctx, dialer, address, requested)
		},
		TLSClientConfig:   &tls.Config{RootCAs: c.fixtures.roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: c.fault.http2,

		MaxResponseHeaderBytes: 64 << 10, // the default takes long to exceed
	}
	if c.fault.http2 && !c.fault.secure {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	if c.fault.pings {
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: c.timeout / 5, PingTimeout: c.timeout / 5}
	}
	if c.fault.proxied || c.fault.proxies != nil {
		t.Proxy = func(req *http.Request) (*url.URL, error) {
			if !c.fault.proxied {
				return nil, c.playDial(req.Context(), c.fault.proxies, &c.proxies)
			}
			return &url.URL{Scheme: "http", Host: "proxy.losant.test:3128"}, nil
		}
	}
	return t
}

// dial connects to the server of the cell.
func (c *cell) dial(ctx context.Context, dialer *net.Dialer, server net.Addr, requested string) (net.Conn, error) {
	if err := c.playDial(ctx, c.fault.dials, &c.dialed); err != nil {
		return nil, err
	}
	address := server.String()
	if c.fault.dns != nil { // the requested name, and the server's port
		name, _, _ := net.SplitHostPort(requested)
		_, port, _ := net.SplitHostPort(address)
		address = net.JoinHostPort(name, port)
	}
	conn, err := dialer.DialContext(ctx, server.Network(), address)
	if err != nil {
		return nil, err
	}
	w := &watchedConn{Conn: conn, cell: c, reads: make(chan struct{}, 1), closed: make(chan struct{})}
	c.clients.Store(conn.LocalAddr().String(), w)
	return w, nil
}

func (c *cell) client(transport *http.Transport) (*losant.Client, error) {
	base := "http://localhost"
	if c.fault.secure || c.fault.dns != nil {
		base = "https://" + host
	}
	return losant.NewClient("some-token",
		losant.WithBaseURL(base),
		losant.WithHTTPClient(&http.Client{Transport: transport}),
		losant.WithRetryPolicy(c.policy()),
		losant.WithMaxResponseBytes(1<<20),
		losant.WithLogger(slog.New(watcher{c})))
}

// traced watches for the reuse of a connection that the server has closed.
func (c *cell) traced() context.Context {
	if !c.fault.closedOnReuse {
		return c.ctx
	}
	var once sync.Once
	return httptrace.WithClientTrace(c.ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if !info.Reused {
			return
		}
		once.Do(func() {
			close(c.reused)
			<-c.clientClosed
			time.Sleep(5 * time.Millisecond) // for net/http to notice that it is closed
		})
	}})
}

func (c *cell) measure(client *losant.Client) result {
	defer c.ctx.finish(context.Canceled)
	ctx := c.traced()
	c.started.Store(true)
	var (
		r        result
		response losant.Response
		ended    = make(chan error)
		timer    = time.NewTimer(c.limit())
	)
	defer timer.Stop()
	go func() { ended <- c.action.call(ctx, client, losant.WithResponse(&response)) }()
	var err error
	select {
	case err = <-ended:
	case <-timer.C:
		r.late = true
		c.ctx.finish(context.Canceled)
		err = <-ended
	}
	r.read(err, len(response.Attempts))
	c.mu.Lock()
	defer c.mu.Unlock()
	r.arrived = int(c.arrived.Load())
	r.proofs = slices.Clone(c.proofs)
	r.unplayed = c.mode == notEnded && !c.played(r.succeeded)
	r.notApplicable = c.mode == cancelledWaiting && !c.waiting.Load()
	c.checkWaits(&r)
	return r
}

// played reports whether the fault happened: a call that succeeded has played every
// step of every script.
func (c *cell) played(succeeded bool) bool {
	f := c.fault
	if f.dns != nil && c.dnsFailures.Load() == 0 {
		return !f.dns.canFail()
	}
	requests := &c.arrived
	if f.byConnection {
		requests = &c.connected
	}
	return !succeeded ||
		reached(f.proxies, &c.proxies) && reached(f.dials, &c.dialed) && reached(f.connections, &c.connected) && reached(f.requests, requests)
}

func reached[T any](script []T, n *atomic.Int32) bool {
	return len(script) < 2 || int(n.Load()) >= len(script)
}
