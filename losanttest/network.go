package losanttest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// memoryURL is the base URL of a server in memory. The host is on loopback,
// because the client refuses http:// to other hosts. Nothing listens on the port.
const memoryURL = "http://127.0.0.1:1"

// network is the listener of a server and the way to connect to it.
type network interface {
	net.Listener
	// dial connects to the server.
	dial(ctx context.Context) (net.Conn, error)
	// url returns the base URL of the server.
	url() string
}

// loopback is a TCP network on a free port of the loopback interface.
type loopback struct{ net.Listener }

func listenOnLoopback() (network, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		// The machine may have only IPv6.
		var errIPv6 error
		if listener, errIPv6 = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "[::1]:0"); errIPv6 != nil {
			return nil, errors.Join(err, errIPv6)
		}
	}
	return loopback{listener}, nil
}

func (l loopback) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
}

func (l loopback) url() string { return "http://" + l.Addr().String() }

// memory is a network of pipes. It blocks only on channels, mutexes and timers,
// so that it works in a bubble of testing/synctest.
type memory struct {
	accepted chan net.Conn
	closed   chan struct{}
	close    func()
}

func listenInMemory() network {
	closed := make(chan struct{})
	return &memory{
		accepted: make(chan net.Conn),
		closed:   closed,
		close:    sync.OnceFunc(func() { close(closed) }),
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case conn := <-m.accepted:
		return conn, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.close()
	return nil
}

func (*memory) Addr() net.Addr { return memoryAddr{} }

func (*memory) url() string { return memoryURL }

func (m *memory) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	reset := new(atomic.Bool)
	select {
	case m.accepted <- &memoryConn{server, reset}:
		return &memoryConn{client, reset}, nil
	case <-m.closed:
		return nil, memoryError("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, memoryError("dial", ctx.Err())
	}
}

// memoryConn is one end of a pipe. Like a TCP connection, it can be reset.
type memoryConn struct {
	net.Conn

	reset *atomic.Bool // shared by both ends
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) && c.reset.Load() {
		err = memoryError("read", syscall.ECONNRESET)
	}
	return n, err
}

// abort resets conn, so that the other end reads ECONNRESET instead of EOF. It
// only closes a connection of an unknown type.
func abort(conn net.Conn) {
	switch conn := conn.(type) {
	case *net.TCPConn:
		_ = conn.SetLinger(0)
	case *memoryConn:
		conn.reset.Store(true)
	}
	_ = conn.Close()
}

func memoryError(op string, err error) error {
	return &net.OpError{Op: op, Net: memoryAddr{}.Network(), Addr: memoryAddr{}, Err: err}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "losanttest" }
