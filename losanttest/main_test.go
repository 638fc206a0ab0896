package losanttest_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newServer(t *testing.T) *losanttest.Server {
	t.Helper()
	srv := losanttest.NewServer()
	t.Cleanup(srv.Close)
	return srv
}

// newClient is one that hardly waits between attempts.
func newClient(t *testing.T, srv *losanttest.Server, opts ...losant.Option) *losant.Client {
	t.Helper()
	quick := losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond})
	client, err := srv.Client(append([]losant.Option{quick}, opts...)...)
	require.NoError(t, err)
	return client
}

func pathOf(ref losant.InstanceOrgInviteRef) string {
	return "/instances/" + ref.InstanceID + "/orgs/" + ref.OrgID + "/invites/" + ref.InviteID
}

func collectionOf(srv *losanttest.Server) losant.InstanceOrgInvitesRef {
	return losant.InstanceOrgInvitesRef{InstanceID: srv.InstanceID, OrgID: srv.OrgID}
}

// newRequest makes a request that the server accepts, if path and body are right.
func newRequest(t *testing.T, srv *losanttest.Server, method, path, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+srv.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// roundTrip sends req on a connection of its own, and follows no redirect.
func roundTrip(t *testing.T, req *http.Request) (*http.Response, string, error) {
	t.Helper()
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(res.Body)
	require.NoError(t, res.Body.Close())
	return res, string(body), err
}

// sendAndHangUp writes a request as it is, says that no more will come, and
// returns what comes back.
func sendAndHangUp(t *testing.T, srv *losanttest.Server, request string) (string, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

func get(t *testing.T, client *losant.Client, ref losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
	t.Helper()
	return client.InstanceOrgInvite.Get(t.Context(), ref)
}
