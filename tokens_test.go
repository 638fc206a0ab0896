package losant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestErrTokenSource: nothing is sent without a valid token, and the cause can be
// found.
func TestErrTokenSource(t *testing.T) {
	t.Parallel()
	api := &recorder{}
	for name, row := range map[string]struct {
		token string
		err   error
		words string
	}{
		"fails":     {"", fmt.Errorf("no token: %w", &sealedError{"north"}), "token source: no token: north is sealed"},
		"no token":  {"", errors.New("no Bearer token"), "token source: no Bearer token"},
		"cancelled": {"", context.Canceled, "token source: context canceled"},
		"empty":     {"", nil, "token source: the token is empty"},
		"line end":  {canary + "\n", nil, "token source: the token has a space, a control or a non-ASCII character at byte 24 of 25; it ends with a newline: trim it"},
		"Bearer":    {"Bearer " + canary, nil, `token source: the token has a space, a control or a non-ASCII character at byte 6 of 31; pass it without "Bearer "`},
	} {
		for _, action := range actions {
			err := action.call(t.Context(), through(t, api, sourceOf([2]any{row.token, row.err})), ref)
			e := requireError(t, err, "ErrTokenSource")
			assert.EqualError(t, err, "losant: "+action.name+": "+row.words, name)
			assert.Zero(t, e.Attempts)
			require.NotErrorIs(t, err, losant.ErrUnavailable)
			requireNoToken(t, everyForm(t, err))
			if row.err != nil {
				require.ErrorIs(t, err, row.err)
			}
			var sealed *sealedError
			require.Equal(t, name == "fails", errors.As(err, &sealed))
			if sealed != nil {
				assert.Equal(t, "north", sealed.Vault)
			}
		}
	}
	assert.Zero(t, api.count)
}

// TestTokenSourceThatFailsAfterAnAttempt is not asked again, and the error is that of
// the attempt, not ErrTokenSource.
func TestTokenSourceThatFailsAfterAnAttempt(t *testing.T) {
	t.Parallel()
	sealed := &sealedError{"north"}
	first, fails, next := [2]any{"some-token", nil}, [2]any{"", sealed}, [2]any{"another-token", nil}
	for name, row := range map[string]struct {
		handler handler
		want    []string
	}{
		"before a retry": {status(503), []string{"ErrServer", "ErrOutcomeUnknown"}}, "after a lost response": {cut, []string{"ErrOutcomeUnknown"}}, "on renewal": {status(401), []string{"ErrUnauthorized"}},
	} {
		s := serve(t, row.handler)
		err := remove.call(t.Context(), newClient(t, s.URL, sourceOf(first, fails, next)), ref)
		e := requireError(t, err, row.want...)
		assert.Equal(t, 1, e.Attempts, name)
		require.ErrorIs(t, err, sealed)
		var found *sealedError
		require.ErrorAs(t, err, &found)
		assert.ErrorContains(t, err, "token source: north is sealed")
		assert.Equal(t, name == "before a retry", errors.Is(err, losant.ErrUnavailable), name)
	}
}

// TestInvalidTokenIsRefusedWithAHint at the usual mistakes, and is not quoted.
func TestInvalidTokenIsRefusedWithAHint(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		canary + "\n":                "at byte 24 of 25; it ends with a newline: trim it",
		canary + "\r\n":              "at byte 24 of 26; it ends with a newline: trim it",
		canary + " ":                 "at byte 24 of 25; it ends with white space: trim it",
		" " + canary:                 "at byte 0 of 25; it begins with white space: trim it",
		"\x7f" + canary:              "at byte 0 of 25",
		"Bearer " + canary:           `at byte 6 of 31; pass it without "Bearer "`,
		"bearer " + canary + "\n":    `at byte 6 of 32; pass it without "Bearer "`,
		canary[:5] + "\n" + canary:   "at byte 5 of 30",
		canary[:5] + "\x7f" + canary: "at byte 5 of 30",
	} {
		_, err := losant.NewClient(token)
		requireError(t, err, "ErrInvalidArgument")
		assert.EqualError(t, err, "losant: NewClient: the token has a space, a control or a non-ASCII character "+want)
		requireNoToken(t, everyForm(t, err))
	}
	_, err := losant.NewClient("!~")
	require.NoError(t, err, "the first and the last character that a token may have")
}

// TestTokenThatComesWithAnErrorIsRedacted, although the source names it in the error.
func TestTokenThatComesWithAnErrorIsRedacted(t *testing.T) {
	t.Parallel()
	named := &sealedError{"token " + canary}
	for _, first := range [][2]any{{canary, named}, {"some-other-token", nil}, {"bearer " + canary, named}, {"\n" + canary, named}} {
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

// TestTokenSourceThatCallsItsClientFails at once, even through another client. It may
// call a client whose source is another.
func TestTokenSourceThatCallsItsClientFails(t *testing.T) {
	t.Parallel()
	api := &recorder{}
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
	for name, target := range map[string]**losant.Client{"itself": &first, "through another client": &second} {
		calls, inner = 0, nil
		first, second = through(t, api, calling(target)), through(t, api, calling(&first))
		requireError(t, get.call(t.Context(), first, ref), "ErrTokenSource")
		requireError(t, inner, "ErrTokenSource")
		require.ErrorContains(t, inner, "token source: it called its own client", name)
	}
	assert.Zero(t, api.count)

	inner = nil
	first, second = through(t, api, calling(&second)), through(t, api)
	require.NoError(t, get.call(t.Context(), first, ref))
	require.NoError(t, inner)
	assert.Equal(t, 2, api.count)

	// Two clients of one option have two sources.
	shared := calling(&second)
	first, second = through(t, api, shared), through(t, api)
	outer := through(t, api, losant.WithTokenSource(losant.TokenSourceFunc(func(ctx context.Context) (string, error) {
		return canary, get.call(ctx, first, ref)
	})))
	require.NoError(t, get.call(t.Context(), outer, ref))
}

// TestWithoutTokenSendsNoAuthorization at any attempt, and contradicts any token.
func TestWithoutTokenSendsNoAuthorization(t *testing.T) {
	t.Parallel()
	for _, action := range actions {
		attempts := 0
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			attempts++
			assert.NotContains(t, r.Header, "Authorization")
			return []httpmock.Responder{says(429), says(401)}[attempts-1](r)
		})
		client, err := losant.NewClient("", losant.WithoutToken(), losant.WithHTTPClient(&http.Client{Transport: transport}), losant.WithRetryPolicy(quick))
		require.NoError(t, err)
		requireError(t, action.call(t.Context(), client, ref), "ErrUnauthorized")
		assert.Equal(t, 2, attempts)
	}
	source := sourceOf([2]any{canary, nil})
	for name, refused := range map[string]func() (*losant.Client, error){
		"no token":          func() (*losant.Client, error) { return losant.NewClient("") },
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

func TestRetryAfter401CountsAgainstMaxAttempts(t *testing.T) {
	t.Parallel()
	for maxAttempts, want := range map[int]expected{1: failure(1, "ErrServer"), 2: failure(2, "ErrUnauthorized"), 3: success(3)} {
		s := serve(t, status(503), accept("a-much-fresher-token"))
		policy := quick
		policy.MaxAttempts = maxAttempts
		source := &rotating{tokens: []string{"stale-token", "a-much-fresher-token"}}
		want.check(t, s, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source), losant.WithRetryPolicy(policy)), ref))
	}
}
