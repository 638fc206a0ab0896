package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// rawServer is a server over HTTP/1.1 whose connections the tests handle
// themselves.
type rawServer struct {
	base    string
	arrived atomic.Int32 // requests, as far as handle counts them
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

// receive reads a request, and counts it.
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

// callAtOnce makes n calls that the server has to hold until all have arrived.
func callAtOnce(t *testing.T, client *losant.Client, a action, n int) {
	t.Helper()
	var group sync.WaitGroup
	for range n {
		group.Go(func() { assert.NoError(t, a.call(t.Context(), client)) })
	}
	group.Wait()
}

// newClient returns a client for base, and closes its connections with the test.
func newClient(t *testing.T, base string, opts ...losant.Option) *losant.Client {
	t.Helper()
	client, err := losant.NewClient("some-token", append([]losant.Option{losant.WithBaseURL(base)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// ended reads how a call ended.
func ended(err error, response losant.Response) result {
	var r result
	r.read(err, len(response.Attempts))
	return r
}
