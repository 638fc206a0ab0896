package losant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestSourceIsAskedOnceMore: after a 401, and no third time if it fails.
func TestSourceIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	s := serve(t, accept("fresh-token"))
	broken, calls := errors.New("vault is sealed"), 0
	source := losant.TokenSourceFunc(func(context.Context) (string, error) {
		calls++
		if calls == 2 {
			return "", broken
		}
		return []string{"stale-token", "", "fresh-token"}[calls-1], nil
	})
	err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
	failure(1, "ErrUnauthorized").check(t, s, err)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, 2, calls)
}

// TestSourceThatNamesItsToken: a token that comes with an error is a secret, too.
func TestSourceThatNamesItsToken(t *testing.T) {
	t.Parallel()
	named := &sealedError{"token " + canary}
	for _, first := range [][2]any{{canary, named}, {"some-other-token", nil}} {
		client := newClient(t, serve(t, status(503)).URL, sourceOf(first, [2]any{canary, named}))
		var response losant.Response
		err := get.call(t.Context(), client, ref, losant.WithResponse(&response))
		require.ErrorContains(t, err, "token [token] is sealed")
		require.ErrorIs(t, err, named)
		requireNoToken(t, everyForm(t, err))
		requireNoToken(t, everyForm(t, errors.Unwrap(err)))
		for _, attempt := range response.Attempts {
			requireNoToken(t, everyForm(t, attempt))
		}
		var sealed *sealedError
		require.NotErrorAs(t, err, &sealed, "it would show the token")
	}
}

// TestErrTokenSource: without a token nothing is sent, and the cause is found.
func TestErrTokenSource(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	for name, row := range map[string]struct {
		token string
		err   error
		words string
	}{
		"fails":     {"", fmt.Errorf("no token: %w", &sealedError{"north"}), "token source: no token: north is sealed"},
		"cancelled": {"", context.Canceled, "token source: context canceled"},
		"empty":     {"", nil, "token source: the token is empty"},
		"line end":  {canary + "\n", nil, "token source: the token has a space, a control or a non-ASCII character at byte 24 of 25; it ends with a newline: trim it"},
		"Bearer":    {"Bearer " + canary, nil, `token source: the token has a space, a control or a non-ASCII character at byte 6 of 31; pass it without "Bearer "`},
	} {
		for _, action := range actions {
			err := action.call(t.Context(), newClient(t, s.URL, sourceOf([2]any{row.token, row.err})), ref)
			e := requireError(t, err, "ErrTokenSource")
			assert.EqualError(t, err, "losant: "+action.name+": "+row.words, name)
			assert.Zero(t, e.Attempts)
			require.NotErrorIs(t, err, losant.ErrUnavailable)
			requireNoToken(t, everyForm(t, err))
			if row.err != nil {
				require.ErrorIs(t, err, row.err)
			}
			var sealed *sealedError
			if assert.Equal(t, name == "fails", errors.As(err, &sealed)) && sealed != nil {
				assert.Equal(t, "north", sealed.Vault)
			}
		}
	}
	assert.Zero(t, s.arrived.Load())
}

// TestSourceThatFailsLater: what was sent before stays in the error, which does
// not claim that nothing was.
func TestSourceThatFailsLater(t *testing.T) {
	t.Parallel()
	sealed := &sealedError{"north"}
	good, bad := [2]any{"some-token", nil}, [2]any{"", sealed}
	for name, row := range map[string]struct {
		answer answer
		want   []string
	}{
		"before a retry": {status(503), []string{"ErrServer", "ErrOutcomeUnknown"}}, "after a lost response": {cut, []string{"ErrOutcomeUnknown"}}, "on renewal": {status(401), []string{"ErrUnauthorized"}},
	} {
		s := serve(t, row.answer)
		err := remove.call(t.Context(), newClient(t, s.URL, sourceOf(good, bad)), ref)
		e := requireError(t, err, row.want...)
		assert.Equal(t, 1, e.Attempts, name)
		require.ErrorIs(t, err, sealed)
		var found *sealedError
		require.ErrorAs(t, err, &found)
		assert.ErrorContains(t, err, "token source: north is sealed")
		assert.Equal(t, name == "before a retry", errors.Is(err, losant.ErrUnavailable), name)
	}
}

// TestTokenHints: the two usual mistakes are named.
func TestTokenHints(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		canary + "\n":                "at byte 24 of 25; it ends with a newline: trim it",
		canary + "\r\n":              "at byte 24 of 26; it ends with a newline: trim it",
		canary + " ":                 "at byte 24 of 25; it ends with white space: trim it",
		"Bearer " + canary:           `at byte 6 of 31; pass it without "Bearer "`,
		"bearer " + canary + "\n":    `at byte 6 of 32; pass it without "Bearer "`,
		canary[:5] + "\n" + canary:   "at byte 5 of 30",
		canary[:5] + "\x7f" + canary: "at byte 5 of 30",
	} {
		_, err := losant.NewClient(token)
		requireError(t, err, "ErrInvalidArgument")
		assert.True(t, strings.HasSuffix(err.Error(), want), "%v", err)
		requireNoToken(t, everyForm(t, err))
	}
}

// TestSourceThatCallsItsClient gets an error at once, however it gets there;
// another client is none of its business.
func TestSourceThatCallsItsClient(t *testing.T) {
	t.Parallel()
	s := serve(t, succeed)
	var first, second *losant.Client
	var inner error
	calls := 0
	calling := func(c **losant.Client) losant.Option {
		return losant.WithTokenSource(losant.TokenSourceFunc(func(ctx context.Context) (string, error) {
			calls++
			require.Less(t, calls, 10)
			err := get.call(ctx, *c, ref)
			if inner == nil {
				inner = err
			}
			return canary, err
		}))
	}
	for name, target := range map[string]**losant.Client{"itself": &first, "in a ring": &second} {
		calls, inner = 0, nil
		first, second = newClient(t, s.URL, calling(target)), newClient(t, s.URL, calling(&first))
		requireError(t, get.call(t.Context(), first, ref), "ErrTokenSource")
		requireError(t, inner, "ErrTokenSource")
		require.ErrorContains(t, inner, "token source: it called the client that it belongs to", name)
	}
	assert.Zero(t, s.arrived.Load())

	inner = nil
	first, second = newClient(t, s.URL, calling(&second)), newClient(t, s.URL)
	require.NoError(t, get.call(t.Context(), first, ref))
	require.NoError(t, inner)
	assert.Equal(t, int32(2), s.arrived.Load())

	// One option for two clients: each has a source of its own.
	shared := calling(&second)
	first, second = newClient(t, s.URL, shared), newClient(t, s.URL)
	outer := newClient(t, s.URL, losant.WithTokenSource(losant.TokenSourceFunc(func(ctx context.Context) (string, error) {
		return canary, get.call(ctx, first, ref)
	})))
	require.NoError(t, get.call(t.Context(), outer, ref))
}

// TestWithoutToken: no Authorization header is sent, at no attempt.
func TestWithoutToken(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, sent := r.Header["Authorization"]
			assert.False(t, sent)
			status(429)(w, r)
		}, func(w http.ResponseWriter, r *http.Request) {
			_, sent := r.Header["Authorization"]
			assert.False(t, sent)
			status(401)(w, r)
		})
		client, err := losant.NewClient("", losant.WithoutToken(), losant.WithBaseURL(s.URL), losant.WithRetryPolicy(quick))
		require.NoError(t, err)
		failure(2, "ErrUnauthorized").check(t, s, action.call(t.Context(), client, ref))
		client.CloseIdleConnections()
	}
	source := sourceOf([2]any{canary, nil})
	for name, refused := range map[string]func() (*losant.Client, error){
		"nothing":           func() (*losant.Client, error) { return losant.NewClient("") },
		"a token":           func() (*losant.Client, error) { return losant.NewClient(canary, losant.WithoutToken()) },
		"a source, without": func() (*losant.Client, error) { return losant.NewClient("", source, losant.WithoutToken()) },
		"without, a source": func() (*losant.Client, error) { return losant.NewClient("", losant.WithoutToken(), source) },
	} {
		client, err := refused()
		assert.Nil(t, client, name)
		requireError(t, err, "ErrInvalidArgument")
	}
	_, err := losant.NewClient("", losant.WithoutToken(), losant.WithoutToken())
	require.NoError(t, err)
}

// TestRenewalWithinMaxAttempts: the attempt after a 401 is one of them, also
// when it is not the first.
func TestRenewalWithinMaxAttempts(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]expected{1: failure(1, "ErrServer"), 2: failure(2, "ErrUnauthorized"), 3: success(3)} {
		s := serve(t, status(503), accept("a-much-fresher-token"))
		policy := quick
		policy.MaxAttempts = most
		source := &rotating{tokens: []string{"stale-token", "a-much-fresher-token"}}
		want.check(t, s, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source), losant.WithRetryPolicy(policy)), ref))
	}
}

// TestRenewalComparesTokens, and not only their lengths.
func TestRenewalComparesTokens(t *testing.T) {
	t.Parallel()
	s := serve(t, accept("token-two"))
	source := &rotating{tokens: []string{"token-one", "token-two"}}
	success(2).check(t, s, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref))
}
