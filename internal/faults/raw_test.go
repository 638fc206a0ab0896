package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// rawServer is a server whose connections the tests handle themselves.
type rawServer struct {
	base    string
	arrived atomic.Int32 // requests that handle counted
	conns   atomic.Int32
}

// serveRaw calls handle for every connection, until the end of the test.
func serveRaw(t *testing.T, handle func(s *rawServer, n int32, conn *net.TCPConn, reader *bufio.Reader)) *rawServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &rawServer{base: "http://" + listener.Addr().String()}
	var (
		open  sync.Map
		group sync.WaitGroup
	)
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Store(conn, nil)
			n := s.conns.Add(1)
			group.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(s, n, conn.(*net.TCPConn), bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Range(func(conn, _ any) bool { _ = conn.(net.Conn).Close(); return true })
		group.Wait()
	})
	return s
}

// receive reads and counts a request.
func (s *rawServer) receive(reader *bufio.Reader) bool {
	req, err := http.ReadRequest(reader)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	s.arrived.Add(1)
	return true
}

func succeedRaw(conn net.Conn, a action) {
	_, _ = io.WriteString(conn, responseHeader(a.status, len(a.body))+a.body)
}

// callAtOnce makes n calls at once. The server must hold them until all arrive.
func callAtOnce(ctx context.Context, client *losant.Client, a action, n int) error {
	var group sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		group.Go(func() { errs[i] = a.call(ctx, client) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// newClient returns a client for base, and closes its connections with the test.
func newClient(t *testing.T, base string, opts ...losant.Option) *losant.Client {
	t.Helper()
	client, err := losant.NewClient("some-token", append([]losant.Option{losant.WithBaseURL(base)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// ended returns the result of a call.
func ended(err error, response losant.Response) result {
	var r result
	r.read(err, len(response.Attempts))
	return r
}

// expiresWhileWaiting returns a context whose deadline passes after the transport
// has begun to wait for a connection or a stream, however slow the machine is.
func expiresWhileWaiting() context.Context {
	ctx := newContext()
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {
		time.AfterFunc(50*time.Millisecond, func() { ctx.finish(context.DeadlineExceeded) })
	}})
}
