package losant

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// TokenSource supplies the API token, for tokens that expire or are kept
// elsewhere. It is asked before every request, from many goroutines at once,
// so it should keep the token and be quick. ctx is that of the call.
//
// If it also implements [TokenInvalidator], it learns which token the API did
// not accept.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenSourceFunc makes a function a [TokenSource].
type TokenSourceFunc func(ctx context.Context) (string, error)

// Token calls f.
func (f TokenSourceFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// TokenInvalidator is what a [TokenSource] may implement as well. After a 401
// InvalidateToken is called with the token that was not accepted; the source
// is then asked once more, and if the token is another one the request is sent
// again, once, and within RetryPolicy.MaxAttempts. With many calls at once the
// token may have been replaced already: compare before fetching a new one.
type TokenInvalidator interface {
	InvalidateToken(token string)
}

// WithTokenSource asks ts for the token of every request, instead of the fixed
// one, which is then not used and may be empty. By default, the fixed one.
func WithTokenSource(ts TokenSource) Option {
	return func(c *settings) error {
		if ts == nil {
			return errors.New("the token source is nil")
		}
		c.credentials = credentialsOf(ts)
		return nil
	}
}

// credentials hold a token source in closures, into which neither fmt nor
// reflection can look.
type credentials struct {
	authorization func(context.Context) (string, error) // the header's value
	invalidate    func(token string)
}

func fixedToken(token string) credentials {
	authorization := bearer + token
	return credentials{
		authorization: func(context.Context) (string, error) { return authorization, nil },
		invalidate:    func(string) {},
	}
}

func credentialsOf(ts TokenSource) credentials {
	c := fixedToken("")
	c.authorization = func(ctx context.Context) (string, error) {
		token, err := ts.Token(ctx)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errTokenSource, err)
		}
		return bearer + token, checkToken(token)
	}
	if invalidator, ok := ts.(TokenInvalidator); ok {
		c.invalidate = invalidator.InvalidateToken
	}
	return c
}

// checkToken refuses what no header can carry. Its errors never hold the token.
func checkToken(token string) error {
	if token == "" {
		return errors.New("the token is empty")
	}
	for n := range len(token) {
		if token[n] <= ' ' || token[n] > '~' {
			return fmt.Errorf("the token has a space, a control or a non-ASCII character at byte %d of %d", n, len(token))
		}
	}
	return nil
}

const bearer = "Bearer "

var errTokenSource = errors.New("token source")

// authorize supplies the Authorization header of the next request.
func (c credentials) authorize(ctx context.Context, x *exchange) (err error) {
	if x.renewed == "" {
		x.authorization, err = c.authorization(ctx)
		return err
	}
	x.authorization, x.renewed = x.renewed, ""
	return nil
}

// renew reports, after a 401, whether the source now has another token.
func (c credentials) renew(ctx context.Context, x *exchange) (bool, error) {
	c.invalidate(strings.TrimPrefix(x.authorization, bearer))
	authorization, err := c.authorization(ctx)
	if err != nil || authorization == x.authorization {
		return false, err
	}
	x.renewed = authorization
	return true, nil
}
