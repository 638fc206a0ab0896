package losant

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/text"
)

// Option changes a client, in [NewClient].
type Option func(*config) error

// config is what the options of a client set.
type config struct {
	baseURL          string
	insecureHTTP     bool
	httpClient       *http.Client
	credentials      credentials
	policy           RetryPolicy
	apiVersion       string
	userAgent        string
	logger           *slog.Logger
	maxResponseBytes int64
	defaults         []RequestOption
}

// WithBaseURL sends the requests to another installation of the API: a scheme,
// a host, perhaps a port and a plain path. User info, a query and a fragment are
// refused, as is http:// to hosts other than loopback; see [WithInsecureHTTP].
// By default, https://api.losant.com.
func WithBaseURL(rawURL string) Option {
	return func(c *config) error { c.baseURL = rawURL; return nil }
}

// WithHTTPClient sends each attempt through the Transport of hc, or through
// [http.DefaultTransport] if it has none. The Timeout that hc has now, if it is
// shorter, stands in for RetryPolicy.AttemptTimeout; its CheckRedirect and Jar
// are not used, since redirects are never followed and the API sets no cookies.
// A transport other than [http.Transport] must not send a request twice by
// itself; and what it does not report through [net/http/httptrace] counts as
// sent. hc is not changed. By default, a transport of the client's own, which speaks HTTP/2,
// uses the proxy of the environment, gives a dial 10 s, and keeps at most 64
// connections; over HTTP/1.1, further calls wait for one.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *config) error {
		if hc == nil {
			return errors.New("the HTTP client is nil")
		}
		c.httpClient = hc
		return nil
	}
}

// WithRetryPolicy sets how often and how patiently a call is attempted. By
// default, the zero [RetryPolicy] with its defaults.
func WithRetryPolicy(p RetryPolicy) Option {
	return func(c *config) error { c.policy = p; return nil }
}

// WithAPIVersion sets the Accept-Version header, a semver range of API
// versions. By default, "^1.30.0", which the types of this package are made
// for.
func WithAPIVersion(v string) Option {
	return func(c *config) error {
		if v == "" {
			return errors.New("the API version is empty")
		}
		c.apiVersion = v
		return checkHeader("the API version", v)
	}
}

// WithUserAgent puts product, such as "inviter/1.2", before the library's own
// name in the User-Agent header. By default, only the library's own.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if product == "" {
			return errors.New("the user agent is empty")
		}
		c.userAgent = product + " " + c.userAgent
		return checkHeader("the user agent", product)
	}
}

// WithLogger logs one Debug record per attempt and one Warn record per retry,
// without tokens, ids or email addresses: the operation, method, path template,
// status, duration in nanoseconds and number of the attempt, and the words of an
// error. By default, nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			return errors.New("the logger is nil")
		}
		c.logger = l
		return nil
	}
}

// WithMaxResponseBytes bounds what is read of an answer, in bytes. A success
// that is larger is [ErrInvalidResponse]. By default, 8 MiB.
func WithMaxResponseBytes(n int64) Option {
	return func(c *config) error {
		if n <= 0 {
			return errors.New("the bound for responses is not positive")
		}
		c.maxResponseBytes = n
		return nil
	}
}

// WithInsecureHTTP permits http:// to hosts other than loopback. The token then
// crosses the network in the clear. By default, that is refused.
func WithInsecureHTTP() Option {
	return func(c *config) error { c.insecureHTTP = true; return nil }
}

// WithDefaults applies opts to every call, before the call's own. By default,
// none.
func WithDefaults(opts ...RequestOption) Option {
	return func(c *config) error {
		var o requestOptions
		if err := o.apply(nil, opts); err != nil {
			return err
		}
		if len(o.responses) > 0 {
			return errors.New("WithResponse can't be a default: its destination would be shared by all calls")
		}
		c.defaults = append(c.defaults, opts...)
		return nil
	}
}

// checkHeader refuses what could end a header line.
func checkHeader(what, value string) error {
	for _, r := range value {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%s %q has a control or a non-ASCII character", what, text.Truncate(value, 80))
		}
	}
	return nil
}

// RetryPolicy says how often and how patiently a call is attempted. A field
// that is zero takes its default.
//
// A call is attempted again if that can do no harm: a Get after any passing
// failure; a Delete likewise, but not once its success was announced; a
// ResendInvite only if it is certain that nothing was sent, or if the API
// refused it with 429. Any other refusal is final: 3xx, 501, 505, and 4xx except
// 408, which counts as a 5xx, and one 401 if the [TokenSource] then has another
// token. So is a certificate that does not verify.
//
// The waits between attempts grow exponentially, with full jitter. On 429 and
// 503 the API's Retry-After is waited for instead, but never less than
// MinWait. A wait that would exceed MaxWait, or the deadline of the context, is
// not begun: the call returns the API's answer at once, as an [*Error] with
// RetryAfter set.
//
// All calls of a client share a budget of tokens for attempts other than their
// first: each costs 5, a call that succeeds or is refused at once refunds 1, and
// a retry that does refunds its 5. While single failures are retried as ever, in
// a lasting outage the budget runs dry, calls fail at their first attempt, and
// the client does not multiply its traffic.
//
// Below these attempts, net/http itself sends a Get again at once if its
// kept-alive connection turns out to be closed. That counts as an attempt, but
// over HTTP/1.1 even a MaxAttempts of 1 does not prevent it.
//
// A negative field, or a MinWait above the MaxWait, is [ErrInvalidArgument]. If
// only one of the two is set, the other's default gives way.
type RetryPolicy struct {
	MaxAttempts    int           // requests per call, at most; default 4; 1 means never retry
	MinWait        time.Duration // shortest wait between two attempts; default 500 ms
	MaxWait        time.Duration // longest wait, and the longest Retry-After that is waited for; default 30 s
	AttemptTimeout time.Duration // to get a connection, and again from there to the whole answer; default 30 s; the context bounds the call
	Budget         int           // tokens for retries, shared by all calls; default 500; NoBudget: without bound
}

// NoBudget is the Budget of a [RetryPolicy] that lets every call use all its
// attempts, whatever becomes of the others.
const NoBudget = -1

// Response is what came back for a call, for [WithResponse].
type Response struct {
	StatusCode int         // of the last attempt; 0: no answer
	Header     http.Header // of its answer
	Body       []byte      // of its answer, as far as it was read
	Attempts   []Attempt   // one per request, in order
}

// Attempt is one request of a call.
type Attempt struct {
	StatusCode int           // 0: no answer
	Err        error         // why there is no answer, or no whole one
	Duration   time.Duration // of the attempt, until its answer was read
	Wait       time.Duration // slept before it
}

// RequestOption changes one call. It is an argument of every method, and of
// [WithDefaults].
type RequestOption func(*requestOptions)

type requestOptions struct {
	losantDomain             string
	actions, links, embedded bool
	responses                []*Response
	err                      error // of the first option that makes no sense
}

// WithLosantDomain sends the losantdomain header, the domain scope of the
// request, which is rarely needed. By default, and for "", none is sent.
func WithLosantDomain(domain string) RequestOption {
	return func(o *requestOptions) {
		o.losantDomain = domain
		o.refuse(checkHeader("the losantdomain", domain))
	}
}

// WithActions asks for the actions of the resource in the raw answer
// (_actions). By default, false.
func WithActions(include bool) RequestOption {
	return func(o *requestOptions) { o.actions = include }
}

// WithLinks asks for the links of the resource (_links). By default, true.
func WithLinks(include bool) RequestOption { return func(o *requestOptions) { o.links = include } }

// WithEmbedded asks for embedded resources in the raw answer (_embedded). By
// default, true.
func WithEmbedded(include bool) RequestOption {
	return func(o *requestOptions) { o.embedded = include }
}

// WithResponse fills dst with what came back, when the call returns, whether it
// failed or not. dst must not be shared by calls that run at the same time, so
// it can't be among [WithDefaults].
func WithResponse(dst *Response) RequestOption {
	return func(o *requestOptions) {
		if dst == nil {
			o.refuse(errors.New("the destination of WithResponse is nil"))
			return
		}
		*dst = Response{}
		o.responses = append(o.responses, dst)
	}
}

// apply sets the defaults of the API, then those of the client, then opts.
func (o *requestOptions) apply(defaults, opts []RequestOption) error {
	o.links, o.embedded = true, true
	for _, list := range [...][]RequestOption{defaults, opts} {
		for _, option := range list {
			if option == nil {
				o.refuse(errors.New("a request option is nil"))
				continue
			}
			option(o)
		}
	}
	return o.err
}

func (o *requestOptions) refuse(err error) {
	if o.err == nil {
		o.err = err
	}
}

// query returns the query of a request: those of the options, then more.
func (o *requestOptions) query(more url.Values) string {
	query := "_actions=false&_embedded=true&_links=true" // as nearly always, and free
	if o.actions || !o.links || !o.embedded {
		query = "_actions=" + strconv.FormatBool(o.actions) +
			"&_embedded=" + strconv.FormatBool(o.embedded) + "&_links=" + strconv.FormatBool(o.links)
	}
	if len(more) > 0 {
		query += "&" + more.Encode()
	}
	return query
}

// fill copies the result of a call, whose body is about to be reused.
func (o *requestOptions) fill(c *retry.Result) {
	for _, r := range o.responses {
		attempts := make([]Attempt, len(c.Record))
		for n, attempt := range c.Record {
			attempts[n] = Attempt(attempt)
		}
		*r = Response{StatusCode: c.StatusCode, Header: c.Header.Clone(), Body: bytes.Clone(c.Body), Attempts: attempts}
	}
}
