package losanttest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

func TestRequestsRecordsWhatWasSent(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := newClient(t, srv)
	ref := srv.AddInvite(losant.OrgInvite{})
	assert.Empty(t, srv.Requests())

	_, err := client.InstanceOrgInvite.Get(t.Context(), ref, losant.WithLinks(false), losant.WithLosantDomain("example.com"))
	require.NoError(t, err)
	_, err = client.InstanceOrgInvite.ResendInvite(t.Context(), ref, losant.OrgRoleInfo{Role: losant.OrgRoleNone})
	require.NoError(t, err)

	requests := srv.Requests()
	require.Len(t, requests, 2)
	read, sent := requests[0], requests[1]
	assert.Equal(t, "InstanceOrgInvite.Get", read.Operation)
	assert.Equal(t, http.MethodGet, read.Method)
	assert.Equal(t, pathOf(ref), read.Path)
	assert.Equal(t, "false", read.Query.Get("_links"))
	assert.Equal(t, "example.com", read.Header.Get("losantdomain"))
	assert.Equal(t, "Bearer "+srv.Token, read.Header.Get("Authorization"))
	assert.Empty(t, read.Body)
	assert.Equal(t, http.StatusOK, read.StatusCode)
	assert.False(t, read.TookEffect)
	assert.Equal(t, "InstanceOrgInvite.ResendInvite", sent.Operation)
	assert.JSONEq(t, `{"role":"none"}`, string(sent.Body))
	assert.True(t, sent.TookEffect)

	read.Header.Set("Authorization", "changed")
	read.Query.Set("_links", "changed")
	sent.Body[0] = '!'
	again := srv.Requests()
	assert.Equal(t, "Bearer "+srv.Token, again[0].Header.Get("Authorization"), "Requests returns copies")
	assert.Equal(t, "false", again[0].Query.Get("_links"))
	assert.JSONEq(t, `{"role":"none"}`, string(again[1].Body))
}
