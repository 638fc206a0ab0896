package losanttest_test

import (
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

// connect opens a connection and writes what a client has sent so far.
func connect(t *testing.T, srv *losanttest.Server, sent string) net.Conn {
	t.Helper()
	conn, err := srv.Transport().DialContext(t.Context(), "", "")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, sent)
	require.NoError(t, err)
	return conn
}

func TestCloseDoesNotWaitForClients(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]losanttest.Option{"loopback": nil, "in memory": {losanttest.WithMemoryNetwork()}} {
		for client, sent := range map[string]func(*losanttest.Server, losant.InstanceOrgInviteRef) string{
			"nothing sent":  func(*losanttest.Server, losant.InstanceOrgInviteRef) string { return "" },
			"half a header": func(*losanttest.Server, losant.InstanceOrgInviteRef) string { return "GET / HT" },
			"half a body": func(s *losanttest.Server, ref losant.InstanceOrgInviteRef) string {
				return head(s, "POST", ref, 99) + "{}"
			},
			"half of {}": func(s *losanttest.Server, ref losant.InstanceOrgInviteRef) string {
				return head(s, "DELETE", ref, 2) + "{"
			},
			"in a delay": func(s *losanttest.Server, ref losant.InstanceOrgInviteRef) string { return head(s, "DELETE", ref, 0) },
			// The server reads ahead, so that it does not notice that the client goes.
			"in a delay, with the next request sent": func(s *losanttest.Server, ref losant.InstanceOrgInviteRef) string {
				return head(s, "DELETE", ref, 0) + head(s, "DELETE", ref, 0)
			},
		} {
			t.Run(name+", "+client, func(t *testing.T) {
				t.Parallel()
				srv := losanttest.NewServer(opts...)
				ref := srv.AddInvite(losant.OrgInvite{})
				srv.Inject(losanttest.Fault{Delay: time.Hour})
				conn := connect(t, srv, sent(srv, ref))
				if strings.Contains(client, "delay") {
					requireArrival(t, srv, false)
				}
				requireCloses(t, srv)
				_, err := conn.Read(make([]byte, 1))
				require.Error(t, err, "the connection is closed")
				_, ok := srv.Invite(ref)
				assert.True(t, ok, "nothing was carried out")
			})
		}
	}
}

func TestCloseWithAnOpenConnection(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]losanttest.Option{"loopback": nil, "in memory": {losanttest.WithMemoryNetwork()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := losanttest.NewServer(opts...)
			conn := connect(t, srv, head(srv, "GET", srv.AddInvite(losant.OrgInvite{}), 0))
			_, err := conn.Read(make([]byte, 1))
			require.NoError(t, err, "it was answered, and more may follow")
			requireCloses(t, srv)
			_, err = io.Copy(io.Discard, conn)
			_ = err // the end of the file or a reset
		})
	}
}

// Connections that are accepted while Close runs are closed as well.
func TestCloseWhileClientsConnect(t *testing.T) {
	t.Parallel()
	for range 50 {
		srv := losanttest.NewServer()
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
				if err != nil {
					return // closed already
				}
				_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
				_, err = conn.Read(make([]byte, 1))
				var timeout net.Error
				assert.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the connection stays open")
				_ = conn.Close()
			})
		}
		requireCloses(t, srv)
		clients.Wait()
	}
}

// head is the header of a request that announces a body of so many bytes.
func head(srv *losanttest.Server, method string, ref losant.InstanceOrgInviteRef, length int) string {
	header := method + " " + pathOf(ref) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + srv.Token + "\r\n"
	if length > 0 {
		header += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\n"
	}
	return header + "\r\n"
}

// requireCloses closes srv, within the second that its documentation promises.
func requireCloses(t *testing.T, srv *losanttest.Server) {
	t.Helper()
	closed := make(chan struct{})
	go func() { srv.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(time.Second):
		require.Fail(t, "Close hangs")
	}
}

// fakeT is a test that can end before the test that uses it.
type fakeT struct {
	cleanups []func()
	failure  string
}

func (*fakeT) Helper()                          {}
func (f *fakeT) Cleanup(cleanup func())         { f.cleanups = append(f.cleanups, cleanup) }
func (f *fakeT) Fatalf(format string, _ ...any) { f.failure = format }

func TestNewClosesWithTheTest(t *testing.T) {
	t.Parallel()
	fake := new(fakeT)
	srv := losanttest.New(fake, losanttest.WithResendID(losanttest.ResendKeepsID))
	ref := srv.AddInvite(losant.OrgInvite{})
	client := newClient(t, srv)
	invite, err := client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{})
	require.NoError(t, err)
	assert.Equal(t, ref.InviteID, invite.ID, "the options apply")

	for _, cleanup := range fake.cleanups {
		cleanup()
	}
	_, err = get(t, client, ref)
	require.Error(t, err)
	assert.Empty(t, fake.failure)
}
