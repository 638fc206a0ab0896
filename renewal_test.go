package losant_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// rotating is a token source that replaces a token once it was invalidated.
type rotating struct {
	tokens      []string
	invalidated []string
}

func (r *rotating) Token(context.Context) (string, error) { return r.tokens[0], nil }

func (r *rotating) InvalidateToken(token string) {
	r.invalidated = append(r.invalidated, token)
	if r.tokens[0] == token && len(r.tokens) > 1 {
		r.tokens = r.tokens[1:]
	}
}

// accept responds with success to one token and with 401 to every other.
func accept(token string) handler {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+token {
			succeed(w, r)
			return
		}
		status(401)(w, r)
	}
}

func Test401IsRetriedOnceWithAnotherToken(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		tokens      []string
		invalidated []string
		expected
	}{
		{"another token", []string{"stale-token", "fresh-token"}, []string{"stale-token"}, success(2)},
		{"another invalid token", []string{"stale-token", "worse-token", "fresh-token"}, []string{"stale-token", "worse-token"}, failure(2, "ErrUnauthorized")},
		{"the same token", []string{"stale-token"}, []string{"stale-token"}, failure(1, "ErrUnauthorized")},
		{"a token that cannot be sent", []string{"stale-token", "a\nb"}, []string{"stale-token"}, failure(1, "ErrUnauthorized")},
	} {
		for _, action := range actions {
			t.Run(row.name+"/"+action.name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, accept("fresh-token"))
				source := &rotating{tokens: row.tokens}
				err := action.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
				row.check(t, s, err)
				assert.Equal(t, row.invalidated, source.invalidated)
			})
		}
	}
	t.Run("not beyond MaxAttempts", func(t *testing.T) {
		t.Parallel()
		s := serve(t, accept("fresh-token"))
		policy := quick
		policy.MaxAttempts = 1
		source := &rotating{tokens: []string{"stale-token", "fresh-token"}}
		err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source), losant.WithRetryPolicy(policy)), ref)
		failure(1, "ErrUnauthorized").check(t, s, err)
		assert.Equal(t, []string{"stale-token"}, source.invalidated, "the next call needs another token")
	})
	t.Run("after a wait, at once", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503), accept("fresh-token"))
		source := &rotating{tokens: []string{"stale-token", "fresh-token"}}
		var response losant.Response
		require.NoError(t, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref, losant.WithResponse(&response)))
		require.Len(t, response.Attempts, 3)
		assert.Positive(t, response.Attempts[1].Wait)
		assert.Zero(t, response.Attempts[2].Wait)
	})
	t.Run("the source sees the context of the caller", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503), accept("fresh-token"))
		type key struct{}
		n := 0
		source := losant.TokenSourceFunc(func(ctx context.Context) (string, error) {
			_, ours := losant.OperationFromContext(ctx)
			assert.False(t, ours)
			assert.Equal(t, "value", ctx.Value(key{}))
			n++
			return []string{"stale-token", "stale-token", "fresh-token"}[n-1], nil
		})
		require.NoError(t, get.call(context.WithValue(t.Context(), key{}, "value"), newClient(t, s.URL, losant.WithTokenSource(source)), ref))
		assert.Equal(t, 3, n)
	})
	t.Run("a source that fails after a 401", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(401))
		broken, calls := errors.New("vault is sealed"), 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			calls++
			if calls > 1 {
				return "", broken
			}
			return "stale-token", nil
		})
		err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
		failure(1, "ErrUnauthorized").check(t, s, err)
		assert.ErrorIs(t, err, broken)
	})
	t.Run("a source is called once per attempt", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(401), status(503), accept("token-3"))
		calls := 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			calls++
			return "token-" + strconv.Itoa(calls), nil
		})
		require.NoError(t, get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref))
		assert.Equal(t, 3, calls)
	})
	t.Run("a source that fails before a retry keeps the API's response", func(t *testing.T) {
		t.Parallel()
		s := serve(t, status(503))
		broken, calls := errors.New("vault is sealed"), 0
		source := losant.TokenSourceFunc(func(context.Context) (string, error) {
			calls++
			if calls > 1 {
				return "", broken
			}
			return "some-token", nil
		})
		err := get.call(t.Context(), newClient(t, s.URL, losant.WithTokenSource(source)), ref)
		failure(1, "ErrServer").check(t, s, err)
		assert.ErrorIs(t, err, broken)
	})
}
