package main

import (
	"net"
	"sync"
	"sync/atomic"
)

// watchedConn is a connection of the client. It records what the client reads and
// writes. A transport cannot do that, because the library trusts the reports of
// net/http's own transport alone.
type watchedConn struct {
	net.Conn
	cell *cell

	got      atomic.Int64
	consumed atomic.Int64  // what the client had read when it read again
	reads    chan struct{} // signals that the client reads
	closed   chan struct{}
	once     sync.Once
}

func (w *watchedConn) Read(p []byte) (int, error) {
	w.consumed.Store(w.got.Load())
	signal(w.reads)
	n, err := w.Conn.Read(p)
	w.got.Add(int64(n))
	if err != nil && w.cell.fault.closedOnReuse {
		select {
		case <-w.cell.reused:
		case <-w.closed:
		case <-w.cell.returned:
		}
	}
	return n, err
}

func (w *watchedConn) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if w.cell.started.Load() {
		signal(w.cell.written)
	}
	return n, err
}

func (w *watchedConn) Close() error {
	w.once.Do(func() { close(w.closed) })
	signal(w.cell.clientClosed)
	return w.Conn.Close()
}

// countingConn is a connection of the server.
type countingConn struct {
	net.Conn
	sent atomic.Int64
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
