package retry

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
)

// Safety says what it does to send a request a second time, in the terms of
// RFC 9110, section 9.2.
type Safety int

// The effects of sending a request again.
const (
	Safe       Safety = iota // nothing: it only reads
	Idempotent               // no more than the first: it removes or replaces
	Unsafe                   // the same again: it creates, or mails
)

// SafetyOf returns the effect of repeating a request of method. PUT counts as
// a removal does, because its outcome matters; whatever is not known to be
// harmless is Unsafe.
func SafetyOf(method string) Safety {
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
	NotSent      Outcome = iota // proof that nothing was sent, and it may go better next time
	Unsendable                  // proof that nothing was sent, and it never will be
	Lost                        // something may have been sent, and no answer came
	Succeeded                   // 2xx, read whole
	Truncated                   // 2xx whose body broke off
	Unreadable                  // an answer that is too large, or of a status that means nothing
	Unauthorized                // 401
	Throttled                   // 429
	Failed                      // 408, and 5xx but 501 and 505: it may have been done
	Refused                     // any other status: it was not done
)

// rules is the policy: whether an attempt may follow one that ended so, for
// each Safety, and whether what was asked for may have been done nevertheless.
var rules = [...]struct {
	retry     [3]bool
	uncertain bool
}{
	NotSent:      {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Unsendable:   {},
	Lost:         {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: false}, uncertain: true},
	Succeeded:    {},
	Truncated:    {retry: [...]bool{Safe: true, Idempotent: false, Unsafe: false}, uncertain: true},
	Unreadable:   {uncertain: true},
	Unauthorized: {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Throttled:    {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: true}},
	Failed:       {retry: [...]bool{Safe: true, Idempotent: true, Unsafe: false}, uncertain: true},
	Refused:      {},
}

// outcomeOfStatus classifies an answer whose body was read.
func outcomeOfStatus(status int) Outcome {
	switch {
	case status >= 200 && status <= 299:
		return Succeeded
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusTooManyRequests:
		return Throttled
	case status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported:
		return Refused
	case status == http.StatusRequestTimeout, status >= 500 && status <= 599:
		return Failed
	case status >= 300 && status <= 499:
		return Refused
	default:
		return Unreadable
	}
}

// outcomeOfError classifies an attempt that ended without an answer.
func outcomeOfError(err error, maybeSent bool) Outcome {
	switch {
	case maybeSent:
		return Lost
	case permanent(err):
		return Unsendable
	default:
		return NotSent
	}
}

// permanent reports whether err, met before anything was sent, will be met
// retry: the server is not the one that was asked for, or is none.
func permanent(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
		alert       *net.OpError
		dns         *net.DNSError
	)
	return errors.As(err, &certificate) || errors.As(err, &notTLS) ||
		errors.As(err, &alert) && alert.Op == "remote error" || // as crypto/tls reports one
		errors.As(err, &dns) && dns.IsNotFound
}
