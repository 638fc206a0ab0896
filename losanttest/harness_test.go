package losanttest_test

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

const (
	hex24 = "^[0-9a-f]{24}$"
	week  = 7 * 24 * time.Hour
)

const (
	deleting  = "InstanceOrgInvite.Delete"
	resending = "InstanceOrgInvite.ResendInvite"
	listing   = "InstanceOrgInvites.Get"
	inviting  = "InstanceOrgInvites.Post"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newServer(t *testing.T) *losanttest.Server {
	t.Helper()
	srv := losanttest.NewServer()
	t.Cleanup(srv.Close)
	return srv
}

// newClient returns a client that waits only a millisecond between attempts.
func newClient(t *testing.T, srv *losanttest.Server, opts ...losant.Option) *losant.Client {
	t.Helper()
	quick := losant.WithRetryPolicy(losant.RetryPolicy{MaxAttempts: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond})
	client, err := srv.Client(append([]losant.Option{quick}, opts...)...)
	require.NoError(t, err)
	return client
}

func collectionOf(srv *losanttest.Server) losant.InstanceOrgInvitesRef {
	return losant.InstanceOrgInvitesRef{InstanceID: srv.InstanceID, OrgID: srv.OrgID}
}

func pathOf(ref losant.InstanceOrgInviteRef) string {
	return "/instances/" + ref.InstanceID + "/orgs/" + ref.OrgID + "/invites/" + ref.InviteID
}

// collectionPath returns the path of the collection of invitations.
func collectionPath(srv *losanttest.Server) string {
	return "/instances/" + srv.InstanceID + "/orgs/" + srv.OrgID + "/invites"
}

// newRequest returns a request that is valid if its path and body are.
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

// roundTrip sends req on a new connection. It does not follow redirects.
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

func get(t *testing.T, client *losant.Client, ref losant.InstanceOrgInviteRef) (*losant.OrgInvite, error) {
	t.Helper()
	return client.InstanceOrgInvite.Get(t.Context(), ref)
}

func list(t *testing.T, client *losant.Client, srv *losanttest.Server) *losant.OrgInviteCollection {
	t.Helper()
	collection, err := client.InstanceOrgInvites.Get(t.Context(), collectionOf(srv), losant.InstanceOrgInvitesQuery{})
	require.NoError(t, err)
	return collection
}

func emailsOf(invites []losant.OrgInvite) string {
	emails := make([]string, len(invites))
	for n, invite := range invites {
		emails[n], _, _ = strings.Cut(invite.Email, "@")
	}
	return strings.Join(emails, " ")
}

const invitation = `{"email":"a@example.com","role":"view"}`

// invitationOf returns a body for Post whose email is the given JSON value.
func invitationOf(email string) string { return `{"email":` + email + `,"role":"view"}` }

// longEmail returns an email of the given length as a JSON string.
func longEmail(length int) string {
	const host = "@example.com"
	return `"` + strings.Repeat("a", length-len(host)) + host + `"`
}

// requestOf returns the request of a subtest, which its header Test names.
func requestOf(t *testing.T, srv *losanttest.Server, test string) losanttest.Request {
	t.Helper()
	for _, request := range srv.Requests() {
		if request.Header.Get("Test") == test {
			return request
		}
	}
	require.Fail(t, "the request was not recorded")
	return losanttest.Request{}
}

// requireArrival waits until the first request has arrived with that TookEffect.
func requireArrival(t *testing.T, srv *losanttest.Server, effect bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		requests := srv.Requests()
		return len(requests) == 1 && requests[0].TookEffect == effect
	}, 10*time.Second, time.Millisecond)
}

// connect opens a connection and writes sent, which may be an incomplete request.
func connect(t *testing.T, srv *losanttest.Server, sent string) net.Conn {
	t.Helper()
	conn, err := srv.Transport().DialContext(t.Context(), "", "")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, sent)
	require.NoError(t, err)
	return conn
}

// head returns the header of a request with a body of that length.
func head(srv *losanttest.Server, method string, ref losant.InstanceOrgInviteRef, length int) string {
	header := method + " " + pathOf(ref) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + srv.Token + "\r\n"
	if length > 0 {
		header += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\n"
	}
	return header + "\r\n"
}

// sendAndHangUp writes a request and closes the connection for writing. It returns
// all that the server sends.
func sendAndHangUp(t *testing.T, srv *losanttest.Server, request string) (string, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	response, err := io.ReadAll(conn)
	return string(response), err
}

// requireCloses tests that Close returns within a second, as documented.
func requireCloses(t *testing.T, srv *losanttest.Server) {
	t.Helper()
	closed := make(chan struct{})
	go func() { srv.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(time.Second):
		require.Fail(t, "Close did not return within a second")
	}
}
