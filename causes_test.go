package losant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// TestSentinelsOfAnotherCallAreHidden: an error of another call can be the cause of a
// cancellation, or of a failed token source.
func TestSentinelsOfAnotherCallAreHidden(t *testing.T) {
	t.Parallel()
	for n, other := range []error{
		&losant.Error{Operation: "Other", StatusCode: 404, Err: losant.ErrOutcomeUnknown},
		fmt.Errorf("Other: %w", losant.ErrNotFound),
		fmt.Errorf("Other: %w", &net.OpError{Op: "dial", Err: losant.ErrOutcomeUnknown}),
	} {
		action := actions[n]
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(other)
		e := requireError(t, action.call(ctx, through(t, &recorder{}), ref))
		require.ErrorIs(t, e, context.Canceled)
		assert.Contains(t, e.Error(), "Other")
		source := losant.TokenSourceFunc(func(context.Context) (string, error) { return "", other })
		e = requireError(t, action.call(t.Context(), through(t, &recorder{}, losant.WithTokenSource(source)), ref), "ErrTokenSource")
		assert.Contains(t, e.Error(), "Other")
	}
}

// TestCauseSaysHowTheContextEnded: by its deadline or by cancellation, whatever the
// cause of the context is.
func TestCauseSaysHowTheContextEnded(t *testing.T) {
	t.Parallel()
	other := &losant.Error{Operation: "Other", StatusCode: 404}
	expired, stop := context.WithTimeoutCause(t.Context(), 0, other)
	defer stop()
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(other)
	for ctx, ended := range map[context.Context][2]error{
		expired:   {context.DeadlineExceeded, context.Canceled},
		cancelled: {context.Canceled, context.DeadlineExceeded},
	} {
		e := requireError(t, get.call(ctx, through(t, &recorder{}), ref))
		require.ErrorIs(t, e, ended[0])
		require.NotErrorIs(t, e, ended[1])
	}
}

// TestErrorOfAttemptHidesSentinelsOfAnotherCall, and matches the rest of the cause.
func TestErrorOfAttemptHidesSentinelsOfAnotherCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel(fmt.Errorf("%w after %w", &losant.Error{StatusCode: 404}, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}))
		return nil, r.Context().Err()
	}))
	var response losant.Response
	requireError(t, get.call(ctx, client, ref, losant.WithResponse(&response)))
	require.Len(t, response.Attempts, 1)
	err := response.Attempts[0].Err
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, losant.ErrNotFound)
	var (
		ours    *losant.Error
		network *net.OpError
		dns     *net.DNSError
	)
	require.ErrorAs(t, err, &network)
	assert.Equal(t, "dial", network.Op)
	assert.NotErrorAs(t, err, &ours)
	assert.NotErrorAs(t, err, &dns)
}

// TestRedactedErrorsMatchTheirCause, and nothing else. No token is in them.
func TestRedactedErrorsMatchTheirCause(t *testing.T) {
	t.Parallel()
	err := resend.call(t.Context(), through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("proxy refused %q: %w", r.Header.Get("Authorization"), &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF})
	})), ref)
	assert.Equal(t, `proxy refused "Bearer [token]": dial: unexpected EOF`, requireError(t, err, "ErrOutcomeUnknown").Message)
	var (
		network *net.OpError
		address *url.Error
	)
	require.ErrorAs(t, err, &network)
	require.NotErrorAs(t, err, &address)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, err, io.EOF)
	requireNoToken(t, everyForm(t, err))
	requireNoToken(t, everyForm(t, errors.Unwrap(err)))

	err = get.call(t.Context(), through(t, mock(httpmock.NewErrorResponder(composed{canary[:5], canary[5:]}))), ref)
	require.NotErrorAs(t, err, new(composed), "its text has the token, although no field has")
	requireNoToken(t, everyForm(t, err))

	client, _ := fromMemory(t, 200, []byte(`{"date":"Bearer `+canary+`"}`))
	_, err = losant.Call[struct{ Date time.Time }](t.Context(), client, losant.Request{Method: "GET", Path: []string{"x"}})
	requireError(t, err, "ErrInvalidResponse")
	requireNoToken(t, everyForm(t, errors.Unwrap(err)))
}

// composed is an error whose text is composed of its fields.
type composed struct{ First, Second string }

func (c composed) Error() string { return c.First + c.Second }

// requireNoRequest asserts that no request and no response can be reached from v by
// reflection, through unexported fields as well.
func requireNoRequest(t *testing.T, v any) {
	t.Helper()
	seen := map[any]bool{}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() { //nolint:exhaustive // the others lead nowhere
		case reflect.Pointer:
			key := [2]any{v.Type(), v.Pointer()}
			if !v.IsNil() && !seen[key] {
				seen[key] = true
				walk(v.Elem(), path)
			}
		case reflect.Interface:
			walk(v.Elem(), path)
		case reflect.Struct:
			for _, carrier := range []reflect.Type{reflect.TypeFor[http.Request](), reflect.TypeFor[http.Response]()} {
				require.NotEqual(t, carrier, v.Type(), path)
			}
			for n := range v.NumField() {
				walk(v.Field(n), path+"."+v.Type().Field(n).Name)
			}
		case reflect.Slice, reflect.Array:
			for n := range v.Len() {
				walk(v.Index(n), path+"[]")
			}
		case reflect.Map:
			for entry := v.MapRange(); entry.Next(); {
				walk(entry.Key(), path+"[]")
				walk(entry.Value(), path+"[]")
			}
		}
	}
	walk(reflect.ValueOf(v), fmt.Sprintf("%T", v))
}

// Errors from which a request can be reached, and one from which none can.
type (
	carrying struct{ Request *http.Request }
	hiding   struct{ kept any }
	nesting  struct{ err error }
	calling  struct{ request func() *http.Request }
	harmless struct{ Code int }
)

func (carrying) Error() string { return "carrying" }

func (hiding) Error() string { return "hiding" }

func (n nesting) Error() string { return "nesting" }

func (n nesting) Unwrap() error { return n.err }

func (calling) Error() string { return "calling" }

func (*harmless) Error() string { return "harmless" }

func (c carrying) Timeout() bool { return true }

func (carrying) Temporary() bool { return true }

// TestNoRequestIsReachableFromErrors, although the errors of the transport hold one.
// Errors that hold none are found.
func TestNoRequestIsReachableFromErrors(t *testing.T) {
	t.Parallel()
	const secret = "Authorization"
	plain := &harmless{7}
	for _, wrap := range []func(*http.Request) error{
		func(r *http.Request) error { return carrying{r} },
		func(r *http.Request) error { return &carrying{r} },
		func(r *http.Request) error { return hiding{map[string]any{"x": []any{r}}} },
		func(r *http.Request) error { return hiding{&http.Response{Request: r}} },
		func(r *http.Request) error { return nesting{&net.OpError{Op: "read", Err: carrying{r}}} },
		func(r *http.Request) error { return &url.Error{Op: "Get", URL: "x", Err: hiding{*r}} },
		func(r *http.Request) error { return calling{func() *http.Request { return r }} },
		func(r *http.Request) error { return hiding{r.Header} },
		func(r *http.Request) error { return hiding{[]byte(r.Header.Get(secret))} },
	} {
		for _, cancels := range []bool{false, true} {
			ctx, cancel := context.WithCancelCause(t.Context())
			client := through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				err := errors.Join(wrap(r), plain)
				if cancels {
					cancel(err)
				}
				return nil, err
			}))
			var response losant.Response
			err := resend.call(ctx, client, ref, losant.WithResponse(&response))
			cancel(nil)
			require.Len(t, response.Attempts, 1)
			for _, err := range []error{err, response.Attempts[0].Err} {
				requireNoRequest(t, err)
				require.ErrorIs(t, err, plain)
				var (
					a carrying
					b *carrying
					c hiding
					d nesting
					e *net.OpError
					f *url.Error
					g calling
					h net.Error
					i interface{ Unwrap() []error }
					k *harmless
				)
				for _, target := range []any{&a, &b, &c, &d, &e, &f, &g, &h, &i} {
					assert.NotErrorAs(t, err, target, "%T", target)
					requireNoRequest(t, target)
				}
				require.ErrorAs(t, err, &k)
				assert.Same(t, plain, k)
				for cause := err; cause != nil; cause = errors.Unwrap(cause) {
					requireNoToken(t, everyForm(t, cause))
				}
			}
		}
	}
}
