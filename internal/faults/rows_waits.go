package main

import "time"

const (
	beyondDuration = "18446744073709551617" // seconds
	skew           = 2 * time.Minute
	tooFar         = 240 * time.Hour
)

func throttledRow(name string, setUp setup) row { return same("429, once, "+name, setUp, okAfterRetry) }

func throttledTooLong(name string, s step) row {
	return same("429, once, "+name, once(s), count(1, 429, "ErrRateLimited"))
}

func unavailableRow(name string, setUp setup) row {
	return each("503, once, "+name, setUp, okAfterRetry, okAfterRetry, count(1, 503, "ErrServer", "ErrOutcomeUnknown"))
}

func unavailableTooLong(name string, s step) row {
	unknown := count(1, 503, "ErrServer", "ErrOutcomeUnknown")
	return each("503, once, "+name, once(s), count(1, 503, "ErrServer"), unknown, unknown)
}

// The library waits at least as long as Retry-After says, and begins no wait that is
// too long. A date is relative to the server's clock.
var waitRows = []row{
	throttledRow("Retry-After: 0", once(retryAfter(429, "0"))),
	throttledRow("Retry-After: 1", all(waits, once(retryAfter(429, "1")))),
	throttledRow("Retry-After: in two seconds, as a date", all(waits, once(retryAt(429, 2*time.Second, 0)))),
	throttledRow("Retry-After: in two seconds, as a date, the server's clock two minutes behind", all(waits, once(retryAt(429, 2*time.Second, -skew)))),
	throttledRow("Retry-After: in two seconds, as a date, the server's clock two minutes ahead", all(waits, once(retryAt(429, 2*time.Second, skew)))),
	throttledRow("Retry-After: a date that has passed", once(retryAt(429, -time.Hour, 0))),
	throttledTooLong("Retry-After above MaxWait", retryAfter(429, "1000000")),
	throttledTooLong("Retry-After: a date above MaxWait", retryAt(429, tooFar, 0)),
	throttledTooLong("Retry-After beyond any Duration", retryAfter(429, beyondDuration)),
	throttledRow("Retry-After: soon", once(retryAfter(429, "soon"))),
	throttledRow("Retry-After: -1", once(retryAfter(429, "-1"))),
	throttledRow(`"Retry in 1 seconds"`, all(waits, once(throttled("Over rate limit, request throttled. Retry in 1 seconds")))),
	throttledTooLong(`"Retry in 1000000 seconds"`, throttled("Over rate limit, request throttled. Retry in 1000000 seconds")),

	unavailableRow("Retry-After: 0", once(retryAfter(503, "0"))),
	unavailableRow("Retry-After: 1", all(waits, once(retryAfter(503, "1")))),
	unavailableRow("Retry-After: in two seconds, as a date", all(waits, once(retryAt(503, 2*time.Second, 0)))),
	unavailableRow("Retry-After: in two seconds, as a date, the server's clock two minutes ahead", all(waits, once(retryAt(503, 2*time.Second, skew)))),
	unavailableRow("Retry-After: a date that has passed", once(retryAt(503, -time.Hour, 0))),
	unavailableTooLong("Retry-After above MaxWait", retryAfter(503, "1000000")),
	unavailableTooLong("Retry-After: a date above MaxWait", retryAt(503, tooFar, 0)),
	unavailableTooLong("Retry-After beyond any Duration", retryAfter(503, beyondDuration)),
	unavailableRow("Retry-After: soon", once(retryAfter(503, "soon"))),

	each("500, once, Retry-After: 1", all(waits, once(retryAfter(500, "1"))),
		okAfterRetry, okAfterRetry, count(1, 500, "ErrServer", "ErrOutcomeUnknown")),
	each("500, once, Retry-After above MaxWait", once(retryAfter(500, "1000000")),
		count(1, 500, "ErrServer"), count(1, 500, "ErrServer", "ErrOutcomeUnknown"), count(1, 500, "ErrServer", "ErrOutcomeUnknown")),
	each("408, once, Retry-After: 1", all(waits, once(retryAfter(408, "1"))),
		okAfterRetry, okAfterRetry, count(1, 408, "ErrOutcomeUnknown")),
}

// Several faults in a row.
var sequenceRows = []row{
	each("429, then 502, then success", requests(status(429), status(502), succeed), "3, ok", "3, ok", count(2, 502, "ErrServer", "ErrOutcomeUnknown")),
	same("429, then 404", requests(status(429), status(404)), count(2, 404, "ErrNotFound")),
	each("500, then 404", requests(status(500), status(404)),
		count(2, 404, "ErrNotFound"), count(2, 404, "ErrNotFound", "ErrOutcomeUnknown"), count(1, 500, "ErrServer", "ErrOutcomeUnknown")),
	each("connection reset before the response, then 404", requests(reset, status(404)),
		count(2, 404, "ErrNotFound"), count(2, 404, "ErrNotFound", "ErrOutcomeUnknown"), lostPost),
	each("connection reset before the response, then 404 with HTML", requests(reset, html(404)),
		count(2, 404, "ErrInvalidResponse"), count(2, 404, "ErrInvalidResponse", "ErrOutcomeUnknown"), lostPost),
	each("silence, then 404", all(timed, requests(silent, status(404))),
		count(2, 404, "ErrNotFound"), count(2, 404, "ErrNotFound", "ErrOutcomeUnknown"), timeoutPost),
	each("kept-alive connection reset when the request arrives, then 404", keptAlive(reset, status(404)),
		count(2, 404, "ErrNotFound")+unwaitedOnce, count(2, 404, "ErrNotFound", "ErrOutcomeUnknown"), lostPost).
		whenCancelledInWait("–", "1, ErrOutcomeUnknown Canceled", "–"),
	same("HTTP/2: GOAWAY, request not processed, then 404", overHTTP2(unprocessed(codeNone), notFoundHTTP2), count(2, 404, "ErrNotFound")),
	same("HTTP/2: RST_STREAM with REFUSED_STREAM, then 404", overHTTP2(refuseStream, notFoundHTTP2), count(2, 404, "ErrNotFound")),
	each("HTTP/2: RST_STREAM with REFUSED_STREAM five times, then success", overHTTP2(refuseStream, refuseStream, refuseStream, refuseStream, refuseStream, succeed), "6, ok", "6, ok", "6, ok"),
	each("connection reset before the response, then 429, then 403", requests(reset, status(429), status(403)),
		count(3, 403, "ErrForbidden"), count(3, 403, "ErrForbidden", "ErrOutcomeUnknown"), lostPost),
	each("dial refused, then 500, then success", all(dials(refusedDial, connect), requests(status(500), succeed)),
		"2 of 3, ok", "2 of 3, ok", "1 of 2, 500 ErrServer ErrOutcomeUnknown"),
	same("dial refused, then 404", all(dials(refusedDial, connect), requests(status(404))), "1 of 2, 404 ErrNotFound"),
}
