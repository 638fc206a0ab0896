package losanttest

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go"
)

func TestOldestRequestsAreDroppedAtTheLimits(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{10_000, 32 << 20}, []int{maxRequests, maxRequestBytes}, "the documented limits")
	var few recording
	for n := range maxRequests + 5 {
		few.add(&Request{Path: strconv.Itoa(n)})
	}
	require.Len(t, few.kept, maxRequests)
	assert.Equal(t, "5", few.kept[0].Path, "the oldest requests are dropped")
	assert.Equal(t, maxRequests+5, few.count)

	var large recording
	for range 200 {
		large.add(&Request{Body: make([]byte, maxBodyBytes)})
		large.add(&Request{Header: http.Header{"A": {strings.Repeat("a", maxBodyBytes)}}})
	}
	assert.LessOrEqual(t, large.bytes, maxRequestBytes)
	assert.Len(t, large.kept, maxRequestBytes/maxBodyBytes-1)

	large.add(&Request{Body: make([]byte, 2*maxRequestBytes)})
	assert.Len(t, large.kept, 1, "the last request is always kept")
}

func TestGlobMatchesLikeARegularExpression(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters string, length int) string {
		var b strings.Builder
		for range random.IntN(length + 1) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	matched := 0
	for range 5000 {
		filter, text := word("aB*?.", 7), word("ab.", 7)
		expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(filter))
		want := regexp.MustCompile(`(?is)^` + expression + `$`).MatchString(text)
		require.Equal(t, want, newGlob(filter).matches(text), "%q %q", filter, text)
		if want {
			matched++
		}
	}
	assert.Greater(t, matched, 100, "both results occur")
}

// With a regular expression, 20 texts and a filter of 4,000 stars took 1.2 s. This
// test matches 2,000 texts.
func TestGlobTakesLinearTime(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("a", 1000) + "@example.com"
	for _, filter := range []string{
		strings.Repeat("*", 4000), strings.Repeat("*a", 2000), strings.Repeat("a*", 500) + "b", strings.Repeat("*a", 500) + "*b*",
	} {
		began := time.Now()
		pattern := newGlob(filter)
		for range 2000 {
			pattern.matches(text)
		}
		assert.Less(t, time.Since(began), 2*time.Second, "%.10s", filter)
	}
}

func TestPostIsRefusedAt10000Invitations(t *testing.T) {
	t.Parallel()
	srv := New(t)
	client, err := srv.Client()
	require.NoError(t, err)
	org := losant.InstanceOrgInvitesRef{InstanceID: srv.InstanceID, OrgID: srv.OrgID}
	for n := range maxInvites - 1 {
		srv.invites[strconv.Itoa(n)] = losant.OrgInvite{}
	}
	post := losant.OrgInvitePost{Email: "a@example.com", Role: losant.OrgRoleView}
	_, err = client.InstanceOrgInvites.Post(t.Context(), org, post)
	require.NoError(t, err)
	_, err = client.InstanceOrgInvites.Post(t.Context(), org, post)
	require.ErrorIs(t, err, losant.ErrBadRequest)
	assert.ErrorContains(t, err, "10000 invitations")
	assert.Len(t, srv.invites, maxInvites)
	assert.False(t, srv.Requests()[1].TookEffect)
}
