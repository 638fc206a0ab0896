package retry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Safety says what it does to send a request a second time, in the terms of
// RFC 9110, section 9.2.
type Safety int

// The effects of sending a request again.
const (
	OfMethod   Safety = iota // as the method says
	Safe                     // none: it only reads
	Idempotent               // no more than the first: it removes or replaces
	Unsafe                   // the same again: it creates, or sends mail
)

// safetyOf returns the safety of method. A method that is not known to be
// harmless is Unsafe.
func safetyOf(method string) Safety {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return Safe
	case http.MethodDelete, http.MethodPut:
		return Idempotent
	default:
		return Unsafe
	}
}

// Outcome says how an attempt ended.
type Outcome int

// The ways for an attempt to end.
const (
	NotSent      Outcome = iota // proof that nothing was sent; a retry may succeed
	Unsendable                  // proof that nothing was sent; a retry would fail again
	Unprocessed                 // proof that the server did not process the request (RFC 9113, section 8.7)
	Lost                        // something may have been sent, and no response came
	Succeeded                   // a success, read completely
	Truncated                   // a success whose body was cut off
	Unreadable                  // a response that is too large or cannot be decoded, or a status that is unexpected here
	Unauthorized                // 401
	Deferred                    // a status that says that nothing was done, and that a retry may succeed
	Failed                      // a status that does not say whether it was done; a retry may succeed
	Inconclusive                // likewise, but a retry would fail again
	Refused                     // any other status: nothing was done
)

// rules says, for each Outcome of an attempt, whether a retry may follow, by the
// Safety of the request, and whether the request may have had its effect.
var rules = [...]struct {
	retry     [Unsafe + 1]bool
	uncertain bool
}{
	NotSent:      {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Unsendable:   {},
	Unprocessed:  {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Lost:         {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: false}, uncertain: true},
	Succeeded:    {},
	Truncated:    {retry: [...]bool{Safe: true, Idempotent: false, Unsafe: false}, uncertain: true},
	Unreadable:   {uncertain: true},
	Unauthorized: {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Deferred:     {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Failed:       {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: false}, uncertain: true},
	Inconclusive: {uncertain: true},
	Refused:      {},
}

// outcomeOfStatus classifies a response whose body was read. The comments name
// the section of RFC 9110, or the other RFC, that defines a status.
func outcomeOfStatus(status int, successes []int) Outcome {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusTooManyRequests, // RFC 6585, section 4
		http.StatusTooEarly,           // RFC 8470, section 5.2
		http.StatusMisdirectedRequest: // 15.5.20; on another connection
		return Deferred
	case http.StatusRequestTimeout, // 15.5.9
		499, 460: // a hop gave up: nginx, AWS load balancers
		return Failed
	case http.StatusNotModified: // 15.4.5: of a request that had no condition
		return Unreadable
	case http.StatusSeeOther, // 15.4.4: the usual response to a POST that was done
		http.StatusVariantAlsoNegotiates, // RFC 2295; this and the next are configuration
		http.StatusInsufficientStorage,   // RFC 4918
		http.StatusLoopDetected,          // RFC 5842
		http.StatusNotExtended:           // RFC 2774
		return Inconclusive
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, // 15.6.2, 15.6.6
		http.StatusNetworkAuthenticationRequired: // RFC 6585, section 6: a portal in between, which forwards nothing
		return Refused
	}
	if slices.Contains(successes, status) {
		return Succeeded
	}
	switch status / 100 {
	case 3, 4:
		return Refused
	case 5:
		return Failed
	default:
		return Unreadable
	}
}

// outcomeOfError classifies an attempt that ended without a response.
func outcomeOfError(err error, p *probe) Outcome {
	switch {
	case p.refused.Load() && !p.exhausted.Load():
		return Unprocessed
	case certificateDemanded(err) && p.fresh():
		return Unsendable
	case (p.stock || p.requests() == 1) && unprocessed(err):
		return Unprocessed
	case needsHTTP1(err):
		return Inconclusive
	case p.maybeSent(err):
		return Lost
	case permanent(err):
		return Unsendable
	default:
		return NotSent
	}
}

// unprocessed reports whether err says that the server did not process the request:
// the server refused the stream, or its GOAWAY names a lower one (RFC 9113, sections
// 6.8 and 8.7). net/http has no types for these errors, so they are recognized by
// their text, none of which comes from the server. An unknown text leaves the outcome
// unknown. The last two texts say that net/http found the connection unusable before
// it wrote.
func unprocessed(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		words := err.Error()
		if inner, ok := strings.CutPrefix(words, "http2: Transport: cannot retry err ["); ok {
			words, _, _ = strings.Cut(inner, "] after Request.Body was written")
		}
		if words == "http2: Transport received Server's graceful shutdown GOAWAY" ||
			strings.HasPrefix(words, "http2: Transport received GOAWAY from server ErrCode:") || // of the first stream
			words == "net/http: cannot rewind body after connection loss" ||
			words == "http2: client conn not usable" {
			return true
		}
		if isReset(words, "REFUSED_STREAM") {
			return true
		}
	}
	return false
}

// needsHTTP1 reports whether the server, which received the header, demands HTTP/1.1
// (RFC 9113, section 7).
func needsHTTP1(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if isReset(err.Error(), "HTTP_1_1_REQUIRED") {
			return true
		}
	}
	return false
}

// isReset reports whether words are those of net/http for a stream that the
// server reset with code.
func isReset(words, code string) bool {
	id, ok := strings.CutPrefix(words, "stream error: stream ID ")
	return ok && strings.TrimLeft(id, "0123456789") == "; "+code+"; received from peer"
}

// isWriteError reports whether err says that writing to a connection failed.
func isWriteError(err error) bool {
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Op == "write"
	}
	return errors.Is(err, net.ErrClosed) // as crypto/tls reports it
}

// permanent reports whether err, which occurred before anything was sent, would occur
// again: the server's identity is wrong, the server does not exist, or the proxy
// refuses to connect.
func permanent(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
		dns         *net.DNSError
	)
	return errors.As(err, &certificate) || errors.As(err, &notTLS) ||
		errors.As(err, &dns) && dns.IsNotFound ||
		isAlert(err, permanentAlerts) || proxyRefused(err)
}

// The TLS alerts (RFC 8446, section 6) after which another handshake would fail, too:
// those about certificates, and those about configuration.
var (
	certificateAlerts = []tls.AlertError{42, 43, 44, 45, 46, 48, 49, 116}
	permanentAlerts   = append([]tls.AlertError{40, 70, 71, 86, 109, 110, 111, 112, 113, 114, 115, 120}, certificateAlerts...)
)

// certificateDemanded reports whether the server demands a certificate of the client,
// or rejects the one that it received. In TLS 1.3, the client may have written the
// request by then, but the server does not read it.
func certificateDemanded(err error) bool { return isAlert(err, certificateAlerts) }

// isAlert reports whether err is one of alerts, sent by the server. crypto/tls has no
// type for these, so they are recognized by their text.
func isAlert(err error, alerts []tls.AlertError) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error" &&
		slices.ContainsFunc(alerts, func(a tls.AlertError) bool { return a.Error() == alert.Err.Error() })
}

// ProxyError says with which status a proxy refused to connect. Return it from
// OnProxyConnectResponse of an [http.Transport]; without it, net/http reports the
// words of the status alone.
type ProxyError struct {
	StatusCode int
	Header     http.Header
}

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy refused to connect: %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

// proxyRefused reports whether a proxy refused to connect, and would refuse again.
// Four attempts with a wrong password can lock an account.
func proxyRefused(err error) bool {
	var refusal *ProxyError
	for _, status := range [...]int{http.StatusProxyAuthRequired, http.StatusForbidden} {
		if errors.As(err, &refusal) && refusal.StatusCode == status || err.Error() == http.StatusText(status) {
			return true
		}
	}
	return false
}

// isConnecting reports whether err is itself a failure to connect. From a transport
// other than net/http's, only that proves that nothing was sent.
func isConnecting(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		switch e := err.(type) { //nolint:errorlint // the loop unwraps
		case *net.OpError:
			if e.Op == "dial" || e.Op == "proxyconnect" || e.Op == "remote error" {
				return true
			}
		case *net.DNSError, *tls.CertificateVerificationError, tls.RecordHeaderError, *ProxyError:
			return true
		}
	}
	return false
}
