package losant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/losant-community/losant-rest-go/internal/redact"
)

// TokenSource supplies the API token, for tokens that expire or that are stored
// elsewhere. The client calls Token before every request, from many goroutines
// at once, so an implementation should cache its token. ctx derives from the
// context of the call.
//
// After a 401 the client calls Token once more and, if the token differs, sends
// the request again, once and within RetryPolicy.MaxAttempts. If the source
// implements [TokenInvalidator], the client first reports the rejected token.
//
// Token must not call the client that it supplies the token for. If it does, and
// passes ctx on, that call fails at once with [ErrTokenSource]. It may call
// another client, such as one made with [WithoutToken].
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenSourceFunc is a function that implements [TokenSource].
type TokenSourceFunc func(ctx context.Context) (string, error)

// Token returns f(ctx).
func (f TokenSourceFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// TokenInvalidator is an optional interface of a [TokenSource]. After every 401
// the client calls InvalidateToken with the token that the API rejected. If
// several calls run at once, the source may already have replaced that token:
// compare before dropping the current one.
type TokenInvalidator interface {
	InvalidateToken(token string)
}

// WithTokenSource takes the token of every request from ts. The token given to
// [NewClient] is then ignored and can be empty. By default, the client uses that
// token.
func WithTokenSource(ts TokenSource) Option {
	return func(c *config) error {
		if f, ok := ts.(TokenSourceFunc); ts == nil || ok && f == nil {
			return errors.New("the token source is nil")
		}
		if c.credentials.none {
			return errNoneAndSource
		}
		c.credentials = credentialsOf(ts)
		return nil
	}
}

// WithoutToken sends no Authorization header, for actions that need no token:
// to log in, to accept an invitation, to read a public dashboard. The token
// given to [NewClient] must be empty. By default, a token is required.
func WithoutToken() Option {
	return func(c *config) error {
		if c.credentials.source != nil {
			return errNoneAndSource
		}
		c.credentials = noCredentials()
		return nil
	}
}

var errNoneAndSource = errors.New("WithoutToken and WithTokenSource contradict each other; use one of them")

// credentials supply the Authorization header. They are closures, so that fmt
// and reflection cannot reach the token.
type credentials struct {
	authorization func(context.Context) (string, error) // the value of the header; "": none
	invalidate    func(token string)
	source        *sourceID // nil: no token source
	none          bool      // WithoutToken
}

// sourceID identifies the token source of one client.
type sourceID struct{ _ byte } // not empty: pointers to empty structs can be equal

// sourceContext is the context that a token source is called with. It has a
// value that tells the client whether the source called it. It is a part of
// tokens, because [context.WithValue] would cost an allocation.
type sourceContext struct {
	context.Context //nolint:containedctx // it is one

	source *sourceID
}

// askedFor is the key of that value. There is one for each client.
type askedFor struct{ *sourceID }

func (c *sourceContext) Value(key any) any {
	if key == (askedFor{c.source}) {
		return c.source
	}
	return c.Context.Value(key)
}

func fixedToken(token string) credentials {
	c := noCredentials()
	authorization := bearer + token
	c.authorization = func(context.Context) (string, error) { return authorization, nil }
	c.none = false
	return c
}

func noCredentials() credentials {
	return credentials{
		authorization: func(context.Context) (string, error) { return "", nil },
		invalidate:    func(string) {},
		none:          true,
	}
}

func credentialsOf(ts TokenSource) credentials {
	c := fixedToken("")
	c.source = &sourceID{}
	c.authorization = func(ctx context.Context) (string, error) {
		token, err := ts.Token(ctx)
		if err == nil {
			err = checkToken(token)
		}
		return bearer + token, err
	}
	if invalidator, ok := ts.(TokenInvalidator); ok {
		c.invalidate = invalidator.InvalidateToken
	}
	return c
}

// orFixed returns c or, if no option has set it, the credentials of token.
func (c credentials) orFixed(token string) (credentials, error) {
	switch {
	case c.none && token != "":
		return c, errors.New(`WithoutToken needs an empty token; pass "" to NewClient`)
	case c.authorization != nil:
		return c, nil
	}
	return fixedToken(token), checkToken(token)
}

// checkToken returns an error if token cannot be sent in a header. The error
// does not contain the token.
func checkToken(token string) error {
	if token == "" {
		return errors.New("the token is empty")
	}
	for n := range len(token) {
		if token[n] > ' ' && token[n] <= '~' {
			continue
		}
		hint := ""
		switch rest := token[n:]; {
		case strings.EqualFold(token[:n+1], bearer):
			hint = `; pass it without "Bearer "`
		case strings.Trim(rest, "\r\n") == "":
			hint = "; it ends with a newline: trim it"
		case strings.TrimSpace(rest) == "":
			hint = "; it ends with white space: trim it"
		case token[0] <= ' ':
			hint = "; it begins with white space: trim it"
		}
		return fmt.Errorf("the token has a space, a control or a non-ASCII character at byte %d of %d%s", n, len(token), hint)
	}
	return nil
}

const bearer = "Bearer "

var (
	// errTokenSource marks the errors of a token source in the causes of a call.
	errTokenSource = errors.New("token source")
	errRecursion   = errors.New("it called its own client; use another one, such as one made with WithoutToken")
)

// tokens are the tokens of one call. A source may return a different one for
// each attempt.
type tokens struct {
	credentials

	ctx           sourceContext // of the call
	authorization string        // the header of the last attempt
	renewed       string        // the header of the next attempt, if it is known already
	others        []string      // the headers of earlier attempts, and any that came with an error
}

// ask calls the source.
func (t *tokens) ask() (string, error) {
	if t.ctx.Context.Value(askedFor{t.source}) != nil {
		return "", fmt.Errorf("%w: %w", errTokenSource, errRecursion)
	}
	authorization, err := t.credentials.authorization(&t.ctx)
	if err != nil {
		t.others = append(t.others, authorization)
		return "", fmt.Errorf("%w: %w", errTokenSource, t.shield(err))
	}
	return authorization, nil
}

// next sets the authorization of the next attempt.
func (t *tokens) next() error {
	next := t.renewed
	if next == "" {
		var err error
		if next, err = t.ask(); err != nil {
			return err
		}
	}
	if t.authorization != "" && t.authorization != next {
		t.others = append(t.others, t.authorization)
	}
	t.authorization, t.renewed = next, ""
	return nil
}

// reject reports the token of the last attempt to the source.
func (t *tokens) reject() { t.invalidate(strings.TrimPrefix(t.authorization, bearer)) }

// renew reports, after a 401, whether the source now has another token.
func (t *tokens) renew() (bool, error) {
	next, err := t.ask()
	if err != nil || next == t.authorization {
		return false, err
	}
	t.renewed = next
	return true, nil
}

// redact removes the tokens of the call from text of a server, a proxy, a transport
// or a token source, any of which may repeat a header.
func (t *tokens) redact(s string) string {
	secrets := slices.Concat(t.others, []string{t.authorization, t.renewed})
	for n, secret := range secrets {
		for len(secret) >= len(bearer) && strings.EqualFold(secret[:len(bearer)], bearer) {
			secret = secret[len(bearer):] // twice, if a source put it before its token
		}
		secrets[n] = strings.TrimSpace(secret)
	}
	return redact.Text(s, secrets...)
}

// shield returns err without what must not be reachable from it; see [cause].
func (t *tokens) shield(err error) error {
	if err == nil {
		return nil // without the closure below, which costs an allocation
	}
	return newCause(err, t.redact)
}
