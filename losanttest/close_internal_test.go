package losanttest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

// No action is carried out after Close: it waits for the handlers that run, and
// lets none begin.
func TestNothingIsDoneAfterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := New(t, WithMemoryNetwork())
		ref := srv.AddInvite(losant.OrgInvite{})
		require.True(t, srv.begin())
		closed := false
		go func() { srv.Close(); closed = true }()
		synctest.Wait()
		assert.False(t, closed, "a handler runs")
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
		_, err := client.Read(make([]byte, 1))
		assert.Error(t, err, "a connection that was accepted during Close is closed")
	})
}
