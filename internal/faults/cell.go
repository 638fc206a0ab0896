package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	losant "github.com/losant-community/losant-rest-go"
)

// cell is one call that a fault happens to, with a server of its own.
type cell struct {
	lab    *lab
	fault  fault
	action action
	mode   mode

	armed    atomic.Bool // the call has begun: what came before was to warm up
	cancel   context.CancelFunc
	returned chan struct{} // closed when the call has
	header   chan struct{} // the client has the header of an answer
	dropped  chan struct{} // the client has closed a connection
	waiting  atomic.Bool   // the library said that it waits for another attempt

	dialed, connected, arrived, acted atomic.Int32
	conns                             sync.Map
	group                             sync.WaitGroup
}

// arrive counts a request and says what is done with it.
func (c *cell) arrive() step {
	select {
	case <-c.header: // of an answer before
	default:
	}
	if !c.armed.Load() {
		return *c.fault.warmUp
	}
	s := nth(c.fault.requests, c.arrived.Add(1))
	if !s.refuses || c.isDue(atArrival) {
		c.acted.Add(1)
	}
	return s
}

func nth[T any](script []T, n int32) T { return script[min(int(n), len(script))-1] }

func (c *cell) isDue(p point) bool {
	return c.armed.Load() && c.mode == cancelledDuring && c.fault.cancelAt == p
}

// reach cancels the context if this is the point to do so, and then holds
// everything up until the call has returned.
func (c *cell) reach(p point) bool {
	if !c.isDue(p) {
		return true
	}
	c.cancel()
	<-c.returned
	return false
}

// dial connects to the server of the cell, whatever the address.
func (c *cell) dial(ctx context.Context, address net.Addr) (net.Conn, error) {
	if !c.reach(atDial) {
		return nil, context.Canceled
	}
	if c.armed.Load() || c.fault.warmUp == nil {
		if d := nth(c.fault.dials, c.dialed.Add(1)); d != nil {
			return nil, d(ctx, c)
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, address.Network(), address.String())
	if err != nil {
		return nil, err
	}
	return &watched{Conn: conn, cell: c}, nil
}

// watched is a connection of the client. It tells when the client has closed
// it, and when the client has the header of an answer and reads the body: the
// transport itself must be net/http's own, which the library trusts to hide
// nothing.
type watched struct {
	net.Conn
	*cell
	answer strings.Builder // as far as its header
}

func (w *watched) Read(p []byte) (int, error) {
	const end = "\r\n\r\n"
	if strings.Contains(w.answer.String(), end) {
		if w.isDue(atHeader) {
			w.cancel()
		}
		signal(w.header)
		return w.Conn.Read(p)
	}
	n, err := w.Conn.Read(p)
	w.answer.Write(p[:n])
	return n, err
}

func (w *watched) Close() error {
	defer signal(w.dropped)
	return w.Conn.Close()
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
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
			if !c.reach(atConnection) {
				return
			}
			met, ok := nth(c.fault.connections, c.connected.Add(1)).meet(c, conn)
			switch {
			case !ok:
			case c.fault.http2:
				c.serveHTTP2(met, conn)
			default:
				c.serveHTTP1(met, conn)
			}
		})
	}
}

// watcher is a logger that learns when the library begins to wait.
type watcher struct{ *cell }

func (watcher) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w watcher) WithAttrs([]slog.Attr) slog.Handler             { return w }
func (w watcher) WithGroup(string) slog.Handler                  { return w }

func (w watcher) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "losant: retry" && w.mode == cancelledWaiting {
		w.waiting.Store(true)
		w.cancel()
	}
	return nil
}

// policy has waits so short that they don't matter or, to be cancelled, so long
// that nothing else can end them.
func (c *cell) policy() losant.RetryPolicy {
	p := losant.RetryPolicy{MaxAttempts: maxAttempts, MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond, AttemptTimeout: 30 * time.Second}
	if c.fault.timed {
		p.AttemptTimeout = 300 * time.Millisecond
	}
	if c.fault.maxWait > 0 {
		p.MaxWait = c.fault.maxWait
	}
	if c.mode == cancelledWaiting {
		p.MinWait, p.MaxWait = time.Hour, 2*time.Hour
	}
	return p
}

// limit is how long the call may take at most. A fault that is not timed takes
// no time by itself.
func (c *cell) limit() time.Duration {
	const slowMachine = 10 * time.Second
	limit := slowMachine
	if c.mode == alive {
		limit += maxAttempts * c.policy().MaxWait
	}
	if c.fault.timed {
		limit += maxAttempts * c.policy().AttemptTimeout
	}
	return limit
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
		if c.fault.idle {
			<-c.dropped
		}
	}
	return c.measure(client), nil
}

func (c *cell) transport(address net.Addr) *http.Transport {
	t := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx, address) },
		TLSClientConfig:   &tls.Config{RootCAs: c.lab.roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: c.fault.http2,

		MaxResponseHeaderBytes: 64 << 10, // the default takes long to exceed
	}
	if c.fault.proxied {
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.losant.test:3128"})
	}
	return t
}

func (c *cell) client(transport *http.Transport) (*losant.Client, error) {
	base := "http://localhost"
	if c.fault.secure {
		base = "https://" + host
	}
	return losant.NewClient("some-token",
		losant.WithBaseURL(base),
		losant.WithHTTPClient(&http.Client{Transport: transport}),
		losant.WithRetryPolicy(c.policy()),
		losant.WithMaxResponseBytes(1<<20),
		losant.WithLogger(slog.New(watcher{c})))
}

func (c *cell) measure(client *losant.Client) result {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.cancel = cancel
	if c.mode == cancelledBefore {
		cancel()
	}
	c.armed.Store(true)
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
		cancel()
		err = <-ended
	}
	r.read(err, len(response.Attempts))
	r.arrived, r.acted = int(c.arrived.Load()), int(c.acted.Load())
	r.nothing = c.mode == cancelledWaiting && !c.waiting.Load()
	return r
}
