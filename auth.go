package losant

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// TokenSource supplies the API token, for tokens that expire or are kept
// elsewhere. It is asked before every request, from many goroutines at once,
// so it should keep the token and be quick. ctx is that of the call.
//
// After a 401 it is asked once more, and if the token is another one the request
// is sent again, once, and within RetryPolicy.MaxAttempts. If it implements
// [TokenInvalidator] as well, it first learns which token was not accepted.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// TokenSourceFunc makes a function a [TokenSource].
type TokenSourceFunc func(ctx context.Context) (string, error)

// Token calls f.
func (f TokenSourceFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// TokenInvalidator is what a [TokenSource] may implement as well. After every
// 401 InvalidateToken is called with the token that was not accepted. With many
// calls at once the token may have been replaced already: compare before you
// drop the one you have.
type TokenInvalidator interface {
	InvalidateToken(token string)
}

// WithTokenSource asks ts for the token of every request, instead of the fixed
// one, which is then not used and may be empty. By default, the fixed one.
func WithTokenSource(ts TokenSource) Option {
	return func(c *config) error {
		if f, ok := ts.(TokenSourceFunc); ts == nil || ok && f == nil {
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

// tokens are those of one call: the source may give another one for every
// attempt.
type tokens struct {
	credentials
	caller        context.Context // for the source
	authorization string          // the header of the last attempt
	renewed       string          // that of the next one, if it is known already
	previous      []string        // those of the attempts before
}

// next sets the authorization of the next attempt.
func (t *tokens) next() error {
	next := t.renewed
	if next == "" {
		var err error
		if next, err = t.credentials.authorization(t.caller); err != nil {
			return err
		}
	}
	if t.authorization != "" && t.authorization != next {
		t.previous = append(t.previous, t.authorization)
	}
	t.authorization, t.renewed = next, ""
	return nil
}

// reject tells the source that its token was not accepted.
func (t *tokens) reject() { t.invalidate(strings.TrimPrefix(t.authorization, bearer)) }

// renew reports, after a 401, whether the source now has another token.
func (t *tokens) renew() (bool, error) {
	next, err := t.credentials.authorization(t.caller)
	if err != nil || next == t.authorization {
		return false, err
	}
	t.renewed = next
	return true, nil
}

// redact removes the tokens of the call from a foreign text: servers echo
// headers.
func (t *tokens) redact(s string) string {
	const short = 6 // and no secret
	for _, authorization := range append(t.previous, t.authorization, t.renewed) {
		if token := strings.TrimPrefix(authorization, bearer); len(token) >= short {
			s = strings.ReplaceAll(s, token, "[token]")
		}
	}
	return s
}

// redactError returns err or, if its text holds a token, an error with another
// text that matches what err does.
func (t *tokens) redactError(err error) error {
	if err == nil {
		return nil
	}
	if words := t.redact(err.Error()); words != err.Error() {
		return &redacted{words, err}
	}
	return err
}

// redacted has no Unwrap: the error within is matched, and never shown.
type redacted struct {
	words string
	err   error
}

func (r *redacted) Error() string        { return r.words }
func (r *redacted) Is(target error) bool { return errors.Is(r.err, target) }

// As finds only errors whose own texts come from the operating system.
func (r *redacted) As(target any) bool {
	switch target.(type) {
	case **net.OpError, **net.DNSError, **tls.CertificateVerificationError:
		return errors.As(r.err, target)
	default:
		return false
	}
}

// Format keeps what is within from the verbs of fmt that look there.
func (r *redacted) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.words) }
