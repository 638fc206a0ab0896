package main

import "time"

// row is one fault: how it is set up, and what is expected of each action while
// the context lives. An expectation is derived from the rules of the library,
// not from its output: the requests that arrive ("of" the attempts counted, if
// that differs), then "ok", or the status and what the error matches.
type row struct {
	name                string
	setUp               setup
	get, remove, resend string
}

// What several rows expect. Where nothing was sent, all actions are attempted
// again; a lost answer ends only what must not be done twice; a success that
// can't be read ends whatever has an effect.
const (
	unsent     = "0 of 4, error"
	unsendable = "0 of 1, error"
	lostOnce   = "1, ErrOutcomeUnknown"
	slowOnce   = "1, ErrOutcomeUnknown DeadlineExceeded"
	senseless  = "1, 200 ErrInvalidResponse"
	unreadable = "1, 200 ErrInvalidResponse ErrOutcomeUnknown"
)

func rows() []row {
	return []row{
		{"none", always(succeed), "1, ok", "1, ok", "1, ok"},

		// Proof that nothing was sent.
		{"dial refused", dials(refused), unsent, unsent, unsent},
		{"dial refused, once", dials(refused, connect), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"network unreachable", dials(unreachable), unsent, unsent, unsent},
		{"network unreachable, once", dials(unreachable, connect), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"dial without an answer", all(timed, dials(hanging)), "0 of 4, DeadlineExceeded", "0 of 4, DeadlineExceeded", "0 of 4, DeadlineExceeded"},
		{"dial without an answer, once", all(timed, dials(hanging, connect)), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"DNS: failure that is temporary", dials(temporaryDNS), unsent, unsent, unsent},
		{"DNS: failure that is temporary, once", dials(temporaryDNS, connect), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"DNS: no such host", dials(noSuchHost), unsendable, unsendable, unsendable},
		{"TLS: certificate of an unknown authority", connections(ofUnknown), unsendable, unsendable, unsendable},
		{"TLS: certificate for another name", connections(ofAnother), unsendable, unsendable, unsendable},
		{"TLS: certificate expired", connections(ofPast), unsendable, unsendable, unsendable},
		{"TLS: none at all", connections(notTLS), unsendable, unsendable, unsendable},
		{"TLS: handshake cut off", connections(cutOff), unsent, unsent, unsent},
		{"TLS: handshake cut off, once", connections(cutOff, encrypted), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"TLS: handshake without an answer", all(timed, connections(mute)), "0 of 4, DeadlineExceeded", "0 of 4, DeadlineExceeded", "0 of 4, DeadlineExceeded"},
		{"TLS: handshake without an answer, once", all(timed, connections(mute, encrypted)), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"proxy: CONNECT refused with 502", all(proxied, connections(noTunnel("502 Bad Gateway"))), unsent, unsent, unsent},
		{"proxy: CONNECT refused with 502, once", all(proxied, connections(noTunnel("502 Bad Gateway"), tunnel)), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},
		{"proxy: CONNECT refused with 407", all(proxied, connections(noTunnel("407 Proxy Authentication Required"))), "0 of 1, error", "0 of 1, error", "0 of 1, error"},
		{"proxy: connection cut off in CONNECT", all(proxied, connections(cutOff)), unsent, unsent, unsent},
		{"proxy: connection cut off in CONNECT, once", all(proxied, connections(cutOff, tunnel)), "1 of 2, ok", "1 of 2, ok", "1 of 2, ok"},

		// The answer is lost.
		{"connection closed before the answer", always(closed), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"connection closed before the answer, once", once(closed), "2, ok", "2, ok", lostOnce},
		{"connection reset before the answer", always(reset), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"connection reset before the answer, once", once(reset), "2, ok", "2, ok", lostOnce},
		{"connection closed in the header", always(closedInHeader), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"connection closed in the header, once", once(closedInHeader), "2, ok", "2, ok", lostOnce},
		{"connection reset in the header", always(resetInHeader), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"connection reset in the header, once", once(resetInHeader), "2, ok", "2, ok", lostOnce},
		{"silence", all(timed, always(silent)), "4, DeadlineExceeded", "4, ErrOutcomeUnknown DeadlineExceeded", slowOnce},
		{"silence, once", all(timed, once(silent)), "2, ok", "2, ok", slowOnce},
		{"header that drips", all(timed, always(dripHeader)), "4, DeadlineExceeded", "4, ErrOutcomeUnknown DeadlineExceeded", slowOnce},
		{"header that drips, once", all(timed, once(dripHeader)), "2, ok", "2, ok", slowOnce},
		{"103 three times, then success", always(fewEarlyHints), "1, ok", "1, ok", "1, ok"},
		{"103 without end, dripping", all(timed, always(endlessEarlyHints)), "4, DeadlineExceeded", "4, ErrOutcomeUnknown DeadlineExceeded", slowOnce},
		{"103 without end, dripping, once", all(timed, once(endlessEarlyHints)), "2, ok", "2, ok", slowOnce},
		{"103 without end, in a flood", always(floodOfEarlyHints), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"103 without end, in a flood, once", once(floodOfEarlyHints), "2, ok", "2, ok", lostOnce},
		{"not HTTP", always(raw("SSH-2.0-OpenSSH_9.9\r\n")), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"not HTTP, once", requests(raw("SSH-2.0-OpenSSH_9.9\r\n"), succeed), "2, ok", "2, ok", lostOnce},
		{"Content-Length twice, the same", always(lengthTwice), "1, ok", "1, ok", "1, ok"},
		{"Content-Length twice, contradictory", always(lengthsThatDiffer), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"Content-Length twice, contradictory, once", once(lengthsThatDiffer), "2, ok", "2, ok", lostOnce},
		{"Content-Length negative", always(lengthNegative), "4, error", "4, ErrOutcomeUnknown", lostOnce},

		// A connection that was used before.
		{"kept-alive connection closed while idle", closedWhileIdle, "1, ok", "1, ok", "1, ok"},
		{"kept-alive connection reset when the request arrives, once", keptAlive(reset, succeed), "2, ok", "2, ok", lostOnce},
		{"kept-alive connection reset when the request arrives, and every other", keptAlive(reset), "5, error", "4, ErrOutcomeUnknown", lostOnce},
		{"kept-alive connection closed when the request arrives, once", keptAlive(closed, succeed), "2, ok", "2, ok", lostOnce},

		// HTTP/2, where net/http itself repeats what has no body and, as the server
		// says, was not processed: at once, but over the same connection at once only
		// one time.
		{"HTTP/2: none", overHTTP2(succeed), "1, ok", "1, ok", "1, ok"},
		{"HTTP/2: connection closed before the answer", overHTTP2(closed), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"HTTP/2: connection closed before the answer, once", overHTTP2(closed, succeed), "2, ok", "2, ok", lostOnce},
		{"HTTP/2: silence, once", all(timed, overHTTP2(silent, succeed)), "2, ok", "2, ok", slowOnce},
		{"HTTP/2: GOAWAY, request not processed, once", overHTTP2(unprocessed, succeed), "2, ok", "2, ok", "2, ok"},
		{"HTTP/2: GOAWAY, request not processed", overHTTP2(unprocessed), "8, error", "9, error", "9, error"},
		{"HTTP/2: GOAWAY, request processed, no answer", overHTTP2(goAwayProcessed(codeNone)), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"HTTP/2: GOAWAY, request processed, no answer, once", overHTTP2(goAwayProcessed(codeNone), succeed), "2, ok", "2, ok", lostOnce},
		{"HTTP/2: GOAWAY with ENHANCE_YOUR_CALM, no answer", overHTTP2(goAwayProcessed(codeCalm)), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"HTTP/2: GOAWAY with ENHANCE_YOUR_CALM, no answer, once", overHTTP2(goAwayProcessed(codeCalm), succeed), "2, ok", "2, ok", lostOnce},
		{"HTTP/2: GOAWAY, then success", overHTTP2(then(goAwayThenSucceed)), "1, ok", "1, ok", "1, ok"},
		{"HTTP/2: RST_STREAM with INTERNAL_ERROR", overHTTP2(resetStream(codeInternal)), "4, error", "4, ErrOutcomeUnknown", lostOnce},
		{"HTTP/2: RST_STREAM with INTERNAL_ERROR, once", overHTTP2(resetStream(codeInternal), succeed), "2, ok", "2, ok", lostOnce},
		{"HTTP/2: RST_STREAM with REFUSED_STREAM", all(timed, overHTTP2(resetStream(codeRefused))), "8, DeadlineExceeded", "9, error", "9, error"},
		{"HTTP/2: RST_STREAM with REFUSED_STREAM, once", overHTTP2(resetStream(codeRefused), succeed), "2, ok", "2, ok", "2, ok"},
		{"HTTP/2: RST_STREAM with PROTOCOL_ERROR", overHTTP2(resetStream(codeProtocol)), "8, error", "4, ErrOutcomeUnknown", lostOnce},
		{"HTTP/2: RST_STREAM with PROTOCOL_ERROR, once", overHTTP2(resetStream(codeProtocol), succeed), "2, ok", "2, ok", lostOnce},
		{"HTTP/2: RST_STREAM with NO_ERROR after the header", overHTTP2(resetStreamAfterHeader(codeNone)), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"HTTP/2: RST_STREAM with NO_ERROR after the header, once", overHTTP2(resetStreamAfterHeader(codeNone), succeed), "2, ok", unreadable, unreadable},
		{"HTTP/2: RST_STREAM with INTERNAL_ERROR after the header", overHTTP2(resetStreamAfterHeader(codeInternal)), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"HTTP/2: RST_STREAM with INTERNAL_ERROR after the header, once", overHTTP2(resetStreamAfterHeader(codeInternal), succeed), "2, ok", unreadable, unreadable},

		// A success that breaks off; so does one whose coding can't be undone.
		{"connection reset in the body", all(always(resetInBody), afterHeader), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"connection reset in the body, once", all(once(resetInBody), afterHeader), "2, ok", unreadable, unreadable},
		{"body that drips", all(timed, always(dripBody), afterHeader), "4, 200 ErrInvalidResponse DeadlineExceeded", unreadable + " DeadlineExceeded", unreadable + " DeadlineExceeded"},
		{"body that drips, once", all(timed, once(dripBody), afterHeader), "2, ok", unreadable + " DeadlineExceeded", unreadable + " DeadlineExceeded"},
		{"body shorter than Content-Length", all(always(shorterThanAnnounced), afterHeader), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"body shorter than Content-Length, once", all(once(shorterThanAnnounced), afterHeader), "2, ok", unreadable, unreadable},
		{"body shorter than Content-Length, then silence", all(timed, always(shorterThanAnnouncedThenSilent), afterHeader), "4, 200 ErrInvalidResponse DeadlineExceeded", unreadable + " DeadlineExceeded", unreadable + " DeadlineExceeded"},
		{"body shorter than Content-Length, then silence, once", all(timed, once(shorterThanAnnouncedThenSilent), afterHeader), "2, ok", unreadable + " DeadlineExceeded", unreadable + " DeadlineExceeded"},
		{"body in chunks", always(chunked), "1, ok", "1, ok", "1, ok"},
		{"body in chunks, the last one missing", all(always(chunkedCut), afterHeader), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"body in chunks, the last one missing, once", all(once(chunkedCut), afterHeader), "2, ok", unreadable, unreadable},
		{"body in chunks, one malformed", all(always(chunkedWrong), afterHeader), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"body in chunks, one malformed, once", all(once(chunkedWrong), afterHeader), "2, ok", unreadable, unreadable},
		{"body until the connection ends", always(untilEnd), "1, ok", "1, ok", "1, ok"},
		{"body until the connection ends, cut off", all(always(untilEndCut), afterHeader), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"body until the connection ends, cut off, once", all(once(untilEndCut), afterHeader), "2, ok", unreadable, unreadable},
		{"gzip", always(gzipped), "1, ok", "1, ok", "1, ok"},
		{"gzip cut off", always(gzipCut), "4, 200 ErrInvalidResponse", unreadable, unreadable},
		{"gzip cut off, once", once(gzipCut), "2, ok", unreadable, unreadable},
		{"gzip announced, not sent", always(notGzip), "1, 200 ErrInvalidResponse", unreadable, unreadable},
		{"gzip announced, not sent, once", once(notGzip), "1, 200 ErrInvalidResponse", unreadable, unreadable},

		// A success that makes no sense.
		{"gzip that expands 1000-fold, beyond the bound", always(gzipBomb), senseless, unreadable, unreadable},
		{"body of 64 MiB, announced", always(hugeAnnounced), senseless, unreadable, unreadable},
		{"body of 64 MiB, in chunks", always(hugeChunked), senseless, unreadable, unreadable},
		{"body longer than Content-Length", always(longerThanAnnounced), senseless, unreadable, unreadable},
		{"200 with HTML", always(html(200)), senseless, unreadable, unreadable},
		{"200 with an empty body", always(body("")), senseless, unreadable, unreadable},
		{"200 with null", always(body("null")), senseless, unreadable, unreadable},
		{"200 with {}", always(body("{}")), senseless, unreadable, unreadable},
		{"200 with []", always(body("[]")), senseless, unreadable, unreadable},
		{"200 with two documents", always(body(`{"id": "64b0f5d29c3a7e0012ab34cd", "success": true}{}`)), senseless, unreadable, unreadable},
		{"200 with half a document", always(body(`{"id": "64b0f5d29c3a7e0012ab34cd", "success": true`)), senseless, unreadable, unreadable},
		{"200 with a wrong type", always(body(`{"id": 7, "success": "true"}`)), senseless, unreadable, unreadable},
		{"200 without what was asked for", always(body(`{"id": "", "success": false}`)), senseless, unreadable, unreadable},
		{"204", always(status(204)), "1, 204 ErrInvalidResponse", "1, 204 ErrInvalidResponse ErrOutcomeUnknown", "1, 204 ErrInvalidResponse ErrOutcomeUnknown"},
		{"101", always(switching), "1, 101 ErrInvalidResponse", "1, 101 ErrInvalidResponse ErrOutcomeUnknown", "1, 101 ErrInvalidResponse ErrOutcomeUnknown"},
		{"600", always(status(600)), "1, 600 ErrInvalidResponse", "1, 600 ErrInvalidResponse ErrOutcomeUnknown", "1, 600 ErrInvalidResponse ErrOutcomeUnknown"},

		// Redirects are refusals.
		{"300", always(status(300)), "1, 300", "1, 300", "1, 300"},
		{"301 to another origin", always(status(301, elsewhere)), "1, 301", "1, 301", "1, 301"},
		{"302 to another origin", always(status(302, elsewhere)), "1, 302", "1, 302", "1, 302"},
		{"303 to another origin", always(status(303, elsewhere)), "1, 303", "1, 303 ErrOutcomeUnknown", "1, 303 ErrOutcomeUnknown"},
		{"304", always(status(304)), "1, 304 ErrInvalidResponse", "1, 304 ErrInvalidResponse ErrOutcomeUnknown", "1, 304 ErrInvalidResponse ErrOutcomeUnknown"},
		{"307 to another origin", always(status(307, elsewhere)), "1, 307", "1, 307", "1, 307"},
		{"307 without a Location", always(status(307)), "1, 307", "1, 307", "1, 307"},
		{"308 to another origin", always(status(308, elsewhere)), "1, 308", "1, 308", "1, 308"},
		{"308 to the same origin", always(status(308, "Location: /elsewhere")), "1, 308", "1, 308", "1, 308"},

		// Refusals, but for 408 and 429.
		{"400", always(status(400)), "1, 400 ErrBadRequest", "1, 400 ErrBadRequest", "1, 400 ErrBadRequest"},
		{"401", always(status(401)), "1, 401 ErrUnauthorized", "1, 401 ErrUnauthorized", "1, 401 ErrUnauthorized"},
		{"402", always(status(402)), "1, 402", "1, 402", "1, 402"},
		{"403", always(status(403)), "1, 403 ErrForbidden", "1, 403 ErrForbidden", "1, 403 ErrForbidden"},
		{"404", always(status(404)), "1, 404 ErrNotFound", "1, 404 ErrNotFound", "1, 404 ErrNotFound"},
		{"404 whose body is cut off", all(always(cutBody(404)), afterHeader), "1, 404 ErrNotFound", "1, 404 ErrNotFound", "1, 404 ErrNotFound"},
		{"404 with HTML", always(html(404)), "1, 404 ErrNotFound", "1, 404 ErrNotFound", "1, 404 ErrNotFound"},
		{"405", always(status(405)), "1, 405", "1, 405", "1, 405"},
		{"406", always(status(406)), "1, 406", "1, 406", "1, 406"},
		{"408", always(status(408)), "4, 408", "4, 408 ErrOutcomeUnknown", "1, 408 ErrOutcomeUnknown"},
		{"408, once", once(status(408)), "2, ok", "2, ok", "1, 408 ErrOutcomeUnknown"},
		{"409", always(status(409)), "1, 409 ErrConflict", "1, 409 ErrConflict", "1, 409 ErrConflict"},
		{"410", always(status(410)), "1, 410 ErrGone", "1, 410 ErrGone", "1, 410 ErrGone"},
		{"411", always(status(411)), "1, 411", "1, 411", "1, 411"},
		{"412", always(status(412)), "1, 412", "1, 412", "1, 412"},
		{"413", always(status(413)), "1, 413", "1, 413", "1, 413"},
		{"414", always(status(414)), "1, 414", "1, 414", "1, 414"},
		{"415", always(status(415)), "1, 415", "1, 415", "1, 415"},
		{"418", always(status(418)), "1, 418", "1, 418", "1, 418"},
		{"421", always(status(421)), "4, 421", "4, 421", "4, 421"},
		{"422", always(status(422)), "1, 422", "1, 422", "1, 422"},
		{"423", always(status(423)), "1, 423", "1, 423", "1, 423"},
		{"424", always(status(424)), "1, 424", "1, 424", "1, 424"},
		{"425", always(status(425)), "4, 425", "4, 425", "4, 425"},
		{"426", always(status(426)), "1, 426", "1, 426", "1, 426"},
		{"428", always(status(428)), "1, 428", "1, 428", "1, 428"},
		{"429", always(status(429)), "4, 429 ErrRateLimited", "4, 429 ErrRateLimited", "4, 429 ErrRateLimited"},
		{"429, once", once(status(429)), "2, ok", "2, ok", "2, ok"},
		{"429 whose body is cut off, once", all(once(cutBody(429)), afterHeader), "2, ok", "2, ok", "2, ok"},
		{"431", always(status(431)), "1, 431", "1, 431", "1, 431"},
		{"451", always(status(451)), "1, 451", "1, 451", "1, 451"},

		// Failures, but for 501 and 505.
		{"500", always(status(500)), "4, 500 ErrServer", "4, 500 ErrServer ErrOutcomeUnknown", "1, 500 ErrServer ErrOutcomeUnknown"},
		{"500, once", once(status(500)), "2, ok", "2, ok", "1, 500 ErrServer ErrOutcomeUnknown"},
		{"501", always(status(501)), "1, 501 ErrServer", "1, 501 ErrServer", "1, 501 ErrServer"},
		{"502", always(status(502)), "4, 502 ErrServer", "4, 502 ErrServer ErrOutcomeUnknown", "1, 502 ErrServer ErrOutcomeUnknown"},
		{"502, once", once(status(502)), "2, ok", "2, ok", "1, 502 ErrServer ErrOutcomeUnknown"},
		{"502 with HTML", always(html(502)), "4, 502 ErrServer", "4, 502 ErrServer ErrOutcomeUnknown", "1, 502 ErrServer ErrOutcomeUnknown"},
		{"502 with HTML, once", once(html(502)), "2, ok", "2, ok", "1, 502 ErrServer ErrOutcomeUnknown"},
		{"503", always(status(503)), "4, 503 ErrServer", "4, 503 ErrServer ErrOutcomeUnknown", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once", once(status(503)), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503 whose body is cut off", all(always(cutBody(503)), afterHeader), "4, 503 ErrServer", "4, 503 ErrServer ErrOutcomeUnknown", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503 whose body is cut off, once", all(once(cutBody(503)), afterHeader), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"504", always(status(504)), "4, 504 ErrServer", "4, 504 ErrServer ErrOutcomeUnknown", "1, 504 ErrServer ErrOutcomeUnknown"},
		{"504, once", once(status(504)), "2, ok", "2, ok", "1, 504 ErrServer ErrOutcomeUnknown"},
		{"505", always(status(505)), "1, 505 ErrServer", "1, 505 ErrServer", "1, 505 ErrServer"},
		{"506", always(status(506)), "1, 506 ErrServer", "1, 506 ErrServer ErrOutcomeUnknown", "1, 506 ErrServer ErrOutcomeUnknown"},
		{"506, once", once(status(506)), "1, 506 ErrServer", "1, 506 ErrServer ErrOutcomeUnknown", "1, 506 ErrServer ErrOutcomeUnknown"},
		{"507", always(status(507)), "1, 507 ErrServer", "1, 507 ErrServer ErrOutcomeUnknown", "1, 507 ErrServer ErrOutcomeUnknown"},
		{"507, once", once(status(507)), "1, 507 ErrServer", "1, 507 ErrServer ErrOutcomeUnknown", "1, 507 ErrServer ErrOutcomeUnknown"},
		{"508", always(status(508)), "1, 508 ErrServer", "1, 508 ErrServer ErrOutcomeUnknown", "1, 508 ErrServer ErrOutcomeUnknown"},
		{"508, once", once(status(508)), "1, 508 ErrServer", "1, 508 ErrServer ErrOutcomeUnknown", "1, 508 ErrServer ErrOutcomeUnknown"},
		{"510", always(status(510)), "1, 510 ErrServer", "1, 510 ErrServer ErrOutcomeUnknown", "1, 510 ErrServer ErrOutcomeUnknown"},
		{"510, once", once(status(510)), "1, 510 ErrServer", "1, 510 ErrServer ErrOutcomeUnknown", "1, 510 ErrServer ErrOutcomeUnknown"},
		{"511", always(status(511)), "1, 511 ErrServer", "1, 511 ErrServer", "1, 511 ErrServer"},
		{"511, once", once(status(511)), "1, 511 ErrServer", "1, 511 ErrServer", "1, 511 ErrServer"},
		{"520, a proxy's", always(status(520)), "4, 520 ErrServer", "4, 520 ErrServer ErrOutcomeUnknown", "1, 520 ErrServer ErrOutcomeUnknown"},
		{"520, a proxy's, once", once(status(520)), "2, ok", "2, ok", "1, 520 ErrServer ErrOutcomeUnknown"},
		{"522, a proxy's", always(status(522)), "4, 522 ErrServer", "4, 522 ErrServer ErrOutcomeUnknown", "1, 522 ErrServer ErrOutcomeUnknown"},
		{"522, a proxy's, once", once(status(522)), "2, ok", "2, ok", "1, 522 ErrServer ErrOutcomeUnknown"},
		{"599", always(status(599)), "4, 599 ErrServer", "4, 599 ErrServer ErrOutcomeUnknown", "1, 599 ErrServer ErrOutcomeUnknown"},
		{"599, once", once(status(599)), "2, ok", "2, ok", "1, 599 ErrServer ErrOutcomeUnknown"},

		// Retry-After, which counts on 429 and 503 only.
		{"429, once, Retry-After: 0", once(retryAfter(429, "0")), "2, ok", "2, ok", "2, ok"},
		{"429, once, Retry-After: 1", all(patient, once(retryAfter(429, "1"))), "2, ok", "2, ok", "2, ok"},
		{"429, once, Retry-After: in two seconds, as a date", all(patient, once(retryAt(429, 2*time.Second))), "2, ok", "2, ok", "2, ok"},
		{"429, once, Retry-After: a date that has passed", once(retryAt(429, -time.Hour)), "2, ok", "2, ok", "2, ok"},
		{"429, once, Retry-After above MaxWait", once(retryAfter(429, "1000000")), "1, 429 ErrRateLimited", "1, 429 ErrRateLimited", "1, 429 ErrRateLimited"},
		{"429, once, Retry-After: a date above MaxWait", once(retryAt(429, 240*time.Hour)), "1, 429 ErrRateLimited", "1, 429 ErrRateLimited", "1, 429 ErrRateLimited"},
		{"429, once, Retry-After beyond any Duration", once(retryAfter(429, "18446744073709551617")), "1, 429 ErrRateLimited", "1, 429 ErrRateLimited", "1, 429 ErrRateLimited"},
		{"429, once, Retry-After: soon", once(retryAfter(429, "soon")), "2, ok", "2, ok", "2, ok"},
		{"429, once, Retry-After: -1", once(retryAfter(429, "-1")), "2, ok", "2, ok", "2, ok"},
		{"503, once, Retry-After: 0", once(retryAfter(503, "0")), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After: 1", all(patient, once(retryAfter(503, "1"))), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After: in two seconds, as a date", all(patient, once(retryAt(503, 2*time.Second))), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After: a date that has passed", once(retryAt(503, -time.Hour)), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After above MaxWait", once(retryAfter(503, "1000000")), "1, 503 ErrServer", "1, 503 ErrServer ErrOutcomeUnknown", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After: a date above MaxWait", once(retryAt(503, 240*time.Hour)), "1, 503 ErrServer", "1, 503 ErrServer ErrOutcomeUnknown", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After beyond any Duration", once(retryAfter(503, "18446744073709551617")), "1, 503 ErrServer", "1, 503 ErrServer ErrOutcomeUnknown", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"503, once, Retry-After: soon", once(retryAfter(503, "soon")), "2, ok", "2, ok", "1, 503 ErrServer ErrOutcomeUnknown"},
		{"500, once, Retry-After above MaxWait", once(retryAfter(500, "1000000")), "1, 500 ErrServer", "1, 500 ErrServer ErrOutcomeUnknown", "1, 500 ErrServer ErrOutcomeUnknown"},

		// Sequences.
		{"429, then 502, then success", requests(status(429), status(502), succeed), "3, ok", "3, ok", "2, 502 ErrServer ErrOutcomeUnknown"},
		{"429, then 404", requests(status(429), status(404)), "2, 404 ErrNotFound", "2, 404 ErrNotFound", "2, 404 ErrNotFound"},
		{"500, then 404", requests(status(500), status(404)), "2, 404 ErrNotFound", "2, 404 ErrNotFound ErrOutcomeUnknown", "1, 500 ErrServer ErrOutcomeUnknown"},
		{"connection reset before the answer, then 404", requests(reset, status(404)), "2, 404 ErrNotFound", "2, 404 ErrNotFound ErrOutcomeUnknown", lostOnce},
		{"silence, then 404", all(timed, requests(silent, status(404))), "2, 404 ErrNotFound", "2, 404 ErrNotFound ErrOutcomeUnknown", slowOnce},
		{"kept-alive connection reset when the request arrives, then 404", keptAlive(reset, status(404)), "2, 404 ErrNotFound", "2, 404 ErrNotFound ErrOutcomeUnknown", lostOnce},
		{"HTTP/2: GOAWAY, request not processed, then 404", overHTTP2(unprocessed, notFoundHTTP2), "2, 404 ErrNotFound", "2, 404 ErrNotFound", "2, 404 ErrNotFound"},
		{"connection reset before the answer, then 429, then 403", requests(reset, status(429), status(403)), "3, 403 ErrForbidden", "3, 403 ErrForbidden ErrOutcomeUnknown", lostOnce},
		{"dial refused, then 500, then success", all(dials(refused, connect), requests(status(500), succeed)), "2 of 3, ok", "2 of 3, ok", "1 of 2, 500 ErrServer ErrOutcomeUnknown"},
		{"dial refused, then 404", all(dials(refused, connect), requests(status(404))), "1 of 2, 404 ErrNotFound", "1 of 2, 404 ErrNotFound", "1 of 2, 404 ErrNotFound"},
	}
}

// elsewhere is reached over the same server, so that a redirect that is
// followed arrives there as one request more.
const elsewhere = "Location: http://elsewhere.losant.test/"
