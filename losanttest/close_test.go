package losanttest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestStateCanBeReadAfterClose(t *testing.T) {
	t.Parallel()
	srv := losanttest.NewServer()
	ref := srv.AddInvite(losant.OrgInvite{})
	client := newClient(t, srv)
	_, err := get(t, client, ref)
	require.NoError(t, err)
	srv.Close()
	srv.Close()

	_, err = get(t, client, ref)
	require.Error(t, err)
	assert.Len(t, srv.Requests(), 1)
	_, ok := srv.Invite(ref)
	assert.True(t, ok)
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
			// With a second request in its buffer, net/http does not detect a disconnect.
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
				require.Error(t, err, "the connection must be closed")
				_, ok := srv.Invite(ref)
				assert.True(t, ok, "the action must not take effect")
			})
		}
	}
}

func TestCloseDoesNotWaitForAnIdleConnection(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]losanttest.Option{"loopback": nil, "in memory": {losanttest.WithMemoryNetwork()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := losanttest.NewServer(opts...)
			conn := connect(t, srv, head(srv, "GET", srv.AddInvite(losant.OrgInvite{}), 0))
			_, err := conn.Read(make([]byte, 1))
			require.NoError(t, err, "the response must arrive")
			requireCloses(t, srv)
			_, err = io.Copy(io.Discard, conn)
			_ = err // EOF or a reset
		})
	}
}

func TestCloseClosesConnectionsThatItRacesWith(t *testing.T) {
	t.Parallel()
	for range 50 {
		srv := losanttest.NewServer()
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
				if err != nil {
					return // the listener is closed
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

// The client connects to another server, because Close closes the connections of
// its own server anyway.
func TestCloseClosesIdleConnectionsOfItsClients(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	other := httptest.NewUnstartedServer(http.NotFoundHandler())
	other.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	other.Start()
	t.Cleanup(other.Close)
	srv := losanttest.NewServer()
	client := newClient(t, srv, losant.WithBaseURL(other.URL))
	_, err := get(t, client, srv.AddInvite(losant.OrgInvite{}))
	require.ErrorIs(t, err, losant.ErrInvalidResponse)

	srv.Close()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		assert.Fail(t, "the connection stays open")
	}
}
