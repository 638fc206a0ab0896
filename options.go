package losant

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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

// WithBaseURL sends the requests to another installation of the API. The URL has a
// scheme, a host, an optional port, and an optional path of letters, digits and
// "-._~". A user name, a query or a fragment is invalid, as is http:// to hosts other
// than loopback; see [WithInsecureHTTP].
// By default, https://api.losant.com.
func WithBaseURL(rawURL string) Option {
	return func(c *config) error { c.baseURL = rawURL; return nil }
}

// WithHTTPClient sends each attempt through the Transport of hc, or through
// [http.DefaultTransport] if it has none. The Timeout that hc has now, if it is
// shorter, replaces RetryPolicy.AttemptTimeout. Its CheckRedirect and Jar are not
// used, because redirects are never followed and the API sets no cookies. hc is
// not changed.
//
// A transport other than [http.Transport] must not send a request twice by itself. A
// request that it fails to send counts as not sent only if [net/http/httptrace]
// reports no connection, and the error is one of connecting, such as a failed dial.
//
// By default, the client has a transport of its own. It speaks HTTP/2, uses the proxy
// of the environment, limits a dial and a TLS handshake to 10 s each, and opens at
// most 64 connections. Over HTTP/1.1, further calls wait for a free one.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *config) error {
		if hc == nil {
			return errors.New("the HTTP client is nil")
		}
		c.httpClient = hc
		return nil
	}
}

// WithRetryPolicy sets how many attempts a call makes, and how long it waits. By
// default, the zero [RetryPolicy], whose fields have defaults of their own.
func WithRetryPolicy(p RetryPolicy) Option {
	return func(c *config) error { c.policy = p; return nil }
}

// WithAPIVersion sets the Accept-Version header, a semver range of API
// versions. By default, "^1.30.0", the version that the types of this package
// describe.
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

// WithLogger logs one Debug record per attempt and one Warn record per retry: the
// operation, method, path template, status, duration in nanoseconds and number of
// the attempt, and the text of an error. No record holds a token, an id or an email
// address. By default, nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			return errors.New("the logger is nil")
		}
		c.logger = l
		return nil
	}
}

// WithMaxResponseBytes limits what is read of a response body, in bytes. A success
// that is larger is [ErrInvalidResponse]. It overrides Request.MaxResponseBytes. By
// default, 8 MiB.
func WithMaxResponseBytes(n int64) Option {
	return func(c *config) error {
		if n <= 0 {
			return errors.New("the limit of WithMaxResponseBytes is not positive")
		}
		c.maxResponseBytes = n
		return nil
	}
}

// WithInsecureHTTP permits http:// to hosts other than loopback. The token is then
// sent unencrypted. By default, that is [ErrInvalidArgument].
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

// checkHeader returns an error if value could end a header line.
func checkHeader(what, value string) error {
	for _, r := range value {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%s %q has a control or a non-ASCII character", what, text.Truncate(value, 80))
		}
	}
	return nil
}

// RequestOption changes one call. It is an argument of every method, and of
// [WithDefaults].
type RequestOption func(*requestOptions)

type requestOptions struct {
	losantDomain             string
	actions, links, embedded bool
	maxAttempts              int        // 0: as the policy says
	query                    url.Values // of WithQuery
	responses                []*Response
	err                      error // of the first option that is invalid
}

// WithLosantDomain sends the losantdomain header, which sets the domain scope of
// the request and is rarely needed. By default, and for "", it is not sent.
func WithLosantDomain(domain string) RequestOption {
	return func(o *requestOptions) {
		o.losantDomain = domain
		o.refuse(checkHeader("the losantdomain", domain))
	}
}

// WithActions asks for the actions of the resource (_actions). The types of this
// package have no field for them: read them from [WithResponse] or with [Call]. By
// default, false.
func WithActions(include bool) RequestOption {
	return func(o *requestOptions) { o.actions = include }
}

// WithLinks asks for the links of the resource (_links). By default, true.
func WithLinks(include bool) RequestOption { return func(o *requestOptions) { o.links = include } }

// WithEmbedded asks for embedded resources (_embedded). The types of this package
// have no field for them: read them from [WithResponse] or with [Call]. By default,
// true.
func WithEmbedded(include bool) RequestOption {
	return func(o *requestOptions) { o.embedded = include }
}

// WithMaxAttempts replaces RetryPolicy.MaxAttempts for the call. 1 means that it
// is never retried. By default, as the policy says.
func WithMaxAttempts(n int) RequestOption {
	return func(o *requestOptions) {
		if n < 1 {
			o.refuse(fmt.Errorf("WithMaxAttempts(%d): at least one attempt is needed", n))
		}
		o.maxAttempts = n
	}
}

// WithQuery sends a query parameter that the method has no field for, because a
// newer version of the API added it. The parameters that the method sends by
// itself, and _actions, _links and _embedded, are [ErrInvalidArgument]. By
// default, none.
func WithQuery(name, value string) RequestOption {
	return func(o *requestOptions) {
		switch {
		case name == "":
			o.refuse(errors.New("WithQuery: the name is empty"))
		case slices.Contains(flags, name):
			o.refuse(fmt.Errorf("WithQuery(%q): use the option for it", name))
		}
		if o.query == nil {
			o.query = url.Values{}
		}
		o.query.Set(name, value)
	}
}

// WithResponse fills dst with the last response when the call returns, whether it
// failed or not. dst must not be shared by calls that run at the same time, so
// WithResponse is not accepted by [WithDefaults].
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

// flags are the parameters that every request sends.
var flags = []string{"_actions", "_embedded", "_links"}

// queryOf returns the query of a request.
func (o *requestOptions) queryOf(r request) (string, error) {
	query := "_actions=false&_embedded=true&_links=true" // the usual case allocates nothing
	if o.actions || !o.links || !o.embedded {
		query = "_actions=" + strconv.FormatBool(o.actions) +
			"&_embedded=" + strconv.FormatBool(o.embedded) + "&_links=" + strconv.FormatBool(o.links)
	}
	if r.stream {
		query = ""
	}
	for name := range o.query {
		if r.query.Has(name) {
			return "", fmt.Errorf("WithQuery(%q): the request has this parameter already", text.Truncate(name, 40))
		}
	}
	for _, values := range []url.Values{r.query, o.query} {
		if len(values) > 0 {
			query += "&" + values.Encode()
		}
	}
	return strings.TrimPrefix(query, "&"), nil
}
