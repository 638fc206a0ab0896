package losanttest_test

import (
	"context"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
	"github.com/losant-community/losant-rest-go/losanttest"
)

func TestMemoryNetworkWorksInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := losanttest.New(t, losanttest.WithMemoryNetwork())
		ref := srv.AddInvite(losant.OrgInvite{})
		client, err := srv.Client(losant.WithRetryPolicy(losant.RetryPolicy{MaxWait: time.Minute}))
		require.NoError(t, err)

		srv.Inject(losanttest.Fault{StatusCode: http.StatusServiceUnavailable, RetryAfter: "7"})
		began := time.Now()
		invite, err := client.InstanceOrgInvite.Get(t.Context(), ref)
		require.NoError(t, err)
		assert.Equal(t, ref.InviteID, invite.ID)
		assert.GreaterOrEqual(t, time.Since(began), 7*time.Second)
		assert.Less(t, time.Since(began), time.Minute)

		srv.Inject(losanttest.Fault{Delay: time.Hour, TakesEffect: true})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began = time.Now()
		err = client.InstanceOrgInvite.Delete(ctx, ref)
		require.ErrorIs(t, err, losant.ErrOutcomeUnknown)
		assert.Equal(t, 10*time.Second, time.Since(began))
		assert.True(t, srv.Requests()[2].TookEffect)
	})
}

func TestTransportConnectsToTheServerForEveryHost(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]losanttest.Option{"loopback": nil, "in memory": {losanttest.WithMemoryNetwork()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := losanttest.New(t, opts...)
			ref := srv.AddInvite(losant.OrgInvite{})
			hc := &http.Client{Transport: srv.Transport()}
			client, err := losant.NewClient(srv.Token, losant.WithHTTPClient(hc),
				losant.WithBaseURL("http://losant.test"), losant.WithInsecureHTTP())
			require.NoError(t, err)
			_, err = get(t, client, ref)
			require.NoError(t, err, "the host in the URL has no effect")

			client, err = losant.NewClient(srv.Token, losant.WithHTTPClient(hc), losant.WithBaseURL(srv.URL))
			require.NoError(t, err, "package losant must accept the URL")
			_, err = get(t, client, ref)
			require.NoError(t, err)

			srv.Close()
			_, err = srv.Transport().DialContext(t.Context(), "", "")
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		})
	}
}

func TestCutInMemoryResetsTheConnection(t *testing.T) {
	t.Parallel()
	srv := losanttest.New(t, losanttest.WithMemoryNetwork())
	ref := srv.AddInvite(losant.OrgInvite{})
	srv.Inject(losanttest.Fault{Cut: true})
	_, err := srv.Transport().RoundTrip(newRequest(t, srv, http.MethodDelete, pathOf(ref), ""))
	require.ErrorIs(t, err, syscall.ECONNRESET)

	client := newClient(t, srv)
	srv.Inject(losanttest.Fault{Cut: true, TakesEffect: true})
	_, err = client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{})
	require.ErrorIs(t, err, losant.ErrOutcomeUnknown)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestDialInMemoryObservesItsContext(t *testing.T) {
	t.Parallel()
	srv := losanttest.New(t, losanttest.WithMemoryNetwork())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // the listener may be ready, too
		conn, err := srv.Transport().DialContext(ctx, "", "")
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			return
		}
		require.NoError(t, conn.Close())
	}
	assert.Fail(t, "the dial ignores its context")
}
