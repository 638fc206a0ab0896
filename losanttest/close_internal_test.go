package losanttest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

func TestNoActionTakesEffectAfterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := New(t, WithMemoryNetwork())
		ref := srv.AddInvite(losant.OrgInvite{})
		require.True(t, srv.begin())
		closed := false
		go func() { srv.Close(); closed = true }()
		synctest.Wait()
		assert.False(t, closed, "Close must wait for the handler")
		srv.handlers.Done()
		synctest.Wait()
		assert.True(t, closed)

		req := httptest.NewRequest(http.MethodDelete, "/instances/"+ref.InstanceID+"/orgs/"+ref.OrgID+"/invites/"+ref.InviteID, nil)
		req.Header.Set("Authorization", "Bearer "+srv.Token)
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { srv.serve(httptest.NewRecorder(), req) })
		_, ok := srv.Invite(ref)
		assert.True(t, ok)
		assert.Empty(t, srv.Requests())

		client, accepted := net.Pipe()
		srv.connState(accepted, http.StateNew)
		defer srv.connState(accepted, http.StateClosed)
		_, err := client.Read(make([]byte, 1))
		assert.Error(t, err, "a connection that is accepted during Close must be closed")
	})
}

// The programs under test may look for goroutines that leak. After a 413, net/http
// keeps the goroutine of the connection for a while.
func TestCloseWaitsForConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := New(t, WithMemoryNetwork())
		var open atomic.Int32
		srv.http.ConnState = func(conn net.Conn, state http.ConnState) {
			if state == http.StateNew {
				open.Add(1)
			}
			if state == http.StateClosed {
				open.Add(-1)
			}
			srv.connState(conn, state)
		}
		client := &http.Client{Transport: srv.Transport()}
		url := srv.URL + "/instances/" + srv.InstanceID + "/orgs/" + srv.OrgID + "/invites"
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(strings.Repeat(" ", maxBodyBytes+1)))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+srv.Token)
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
		assert.EqualValues(t, 1, open.Load())
		srv.Close()
		assert.Zero(t, open.Load())
	})
}

func TestDelayOfADisconnectedClientNeverSucceeds(t *testing.T) {
	t.Parallel()
	srv := New(t)
	ctx, disconnect := context.WithCancel(t.Context())
	disconnect()
	for range 100 { // the timer is ready, too, and select chooses at random
		assert.False(t, srv.wait(ctx, time.Nanosecond))
	}
}
