package main

import (
	"maps"
	"net"
	"slices"
)

// Expectations of several rows.
const (
	ok               = "1, ok"
	okAfterRetry     = "2, ok"
	unsent           = "0 of 4, error"
	unsentTimeout    = "0 of 4, DeadlineExceeded"
	okAfterUnsent    = "1 of 2, ok"
	unsentPermanent  = "0 of 1, error"
	lostGet          = "4, error"
	lostDelete       = "4, ErrOutcomeUnknown"
	lostPost         = "1, ErrOutcomeUnknown"
	timeoutGet       = "4, DeadlineExceeded"
	timeoutDelete    = "4, ErrOutcomeUnknown DeadlineExceeded"
	timeoutPost      = "1, ErrOutcomeUnknown DeadlineExceeded"
	invalidGet       = "1, 200 ErrInvalidResponse"
	invalidWrite     = "1, 200 ErrInvalidResponse ErrOutcomeUnknown"
	truncatedGet     = "4, 200 ErrInvalidResponse"
	truncatedTimeout = invalidWrite + " DeadlineExceeded"
	refusedAlways    = "9, error" // 8 retries of a request that the server did not process

	unwaitedOnce = ", 1 without a wait" // net/http repeated the request by itself
)

// rows returns the table.
func rows() []row {
	return slices.Concat(unsentRows, tlsRows, proxyRows, lostRows, reusedRows, http2Rows, goAwayRows, truncatedRows, invalidRows,
		refusalRows, clientErrorRows, serverErrorRows, waitRows, sequenceRows)
}

var ipv4 = net.IPv4(127, 0, 0, 1)

// Nothing is sent, because there is no connection.
var unsentRows = []row{
	same("no fault", always(succeed), ok),
	same("dial refused", dials(refusedDial), unsent),
	same("dial refused, once", dials(refusedDial, connect), okAfterUnsent),
	same("network unreachable", dials(unreachable), unsent),
	same("network unreachable, once", dials(unreachable, connect), okAfterUnsent),
	same("dial without a response", all(timed, dials(hangingDial)), unsentTimeout),
	same("dial without a response, once", all(timed, dials(hangingDial, connect)), okAfterUnsent),
	same("DNS: temporary failure", dials(temporaryDNS), unsent),
	same("DNS: temporary failure, once", dials(temporaryDNS, connect), okAfterUnsent),
	same("DNS: timeout", dials(dnsTimeout), unsent),
	same("DNS: no such host", dials(noSuchHost), unsentPermanent),
	same("DNS: SERVFAIL, once", all(connections(encrypted), resolvedBy(&dnsServer{servfails: 1, a: []net.IP{ipv4}})), ok),
	same("two addresses, the first refuses", all(connections(encrypted), resolvedBy(&dnsServer{a: []net.IP{net.IPv4(127, 0, 0, 2), ipv4}})), ok),
	same("two addresses, IPv6 does not respond", all(connections(encrypted), resolvedBy(&dnsServer{a: []net.IP{ipv4}, aaaa: []net.IP{net.IPv6loopback}})), ok),
}

var tlsRows = slices.Concat([]row{
	same("TLS: certificate of an unknown authority", connections(unknownAuthority), unsentPermanent),
	same("TLS: certificate for another name", connections(otherName), unsentPermanent),
	same("TLS: certificate expired", connections(expiredCertificate), unsentPermanent),
	same("TLS: the server speaks plain HTTP", connections(notTLS), unsentPermanent),
	same("TLS: handshake cut off", connections(cutOff), unsent),
	same("TLS: handshake cut off, once", connections(cutOff, encrypted), okAfterUnsent),
	same("TLS: handshake without a response", all(timed, connections(silentHandshake)), unsentTimeout),
	same("TLS: handshake without a response, once", all(timed, connections(silentHandshake, encrypted)), okAfterUnsent),
	same("TLS 1.2: client certificate required", connections(demands12), unsentPermanent),
	same("TLS 1.3: client certificate required", connections(demands13), unsentPermanent),
	same("TLS 1.3, HTTP/2: client certificate required", all(connections(demands13), func(f *fault) { f.http2 = true }), unsentPermanent),
	same("TLS 1.3: client certificate rejected", connections(rejects13), unsentPermanent),
	same("TLS 1.3, HTTP/2: client certificate rejected", all(connections(rejects13), func(f *fault) { f.http2 = true }), unsentPermanent),
	same("TLS: alert internal_error, once", connections(alert(internalError), encrypted), okAfterUnsent),
}, alertRows(permanentAlerts, unsentPermanent), alertRows(passingAlerts, unsent))

// alertRows returns a row for each alert that ends a handshake.
func alertRows(alerts map[byte]string, expected string) []row {
	var list []row
	for _, number := range slices.Sorted(maps.Keys(alerts)) {
		list = append(list, same("TLS: alert "+alerts[number], connections(alert(number)), expected))
	}
	return list
}

var proxyRows = []row{
	same("proxy: function fails", proxyFunction(failingProxy), unsent),
	same("proxy: function fails, once", proxyFunction(failingProxy, connect), okAfterUnsent),
	same("proxy: function does not return", all(timed, proxyFunction(hangingProxy)), unsentTimeout),
	same("proxy: function does not return, once", all(timed, proxyFunction(hangingProxy, connect)), okAfterUnsent),
	same("proxy: CONNECT refused with 502", all(proxied, connections(noTunnel("502 Bad Gateway"))), unsent),
	same("proxy: CONNECT refused with 502, once", all(proxied, connections(noTunnel("502 Bad Gateway"), tunnel)), okAfterUnsent),
	same("proxy: CONNECT refused with 503, once", all(proxied, connections(noTunnel("503 Service Unavailable"), tunnel)), okAfterUnsent),
	same("proxy: CONNECT refused with 429, once", all(proxied, connections(noTunnel("429 Too Many Requests"), tunnel)), okAfterUnsent),
	same("proxy: CONNECT refused with 407", all(proxied, connections(noTunnel("407 Proxy Authentication Required"))), unsentPermanent),
	same("proxy: CONNECT refused with 403", all(proxied, connections(noTunnel("403 Forbidden"))), unsentPermanent),
	same("proxy: connection cut off in CONNECT", all(proxied, connections(cutOffConnect)), unsent),
	same("proxy: connection cut off in CONNECT, once", all(proxied, connections(cutOffConnect, tunnel)), okAfterUnsent),
}

const earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"

// The response is missing.
var lostRows = []row{
	each("connection closed before the response", always(closed), lostGet, lostDelete, lostPost),
	each("connection closed before the response, once", once(closed), okAfterRetry, okAfterRetry, lostPost),
	each("connection reset before the response", always(reset), lostGet, lostDelete, lostPost),
	each("connection reset before the response, once", once(reset), okAfterRetry, okAfterRetry, lostPost),
	each("connection closed in the header", always(closedInHeader), lostGet, lostDelete, lostPost),
	each("connection closed in the header, once", once(closedInHeader), okAfterRetry, okAfterRetry, lostPost),
	each("connection reset in the header", always(resetInHeader), lostGet, lostDelete, lostPost),
	each("connection reset in the header, once", once(resetInHeader), okAfterRetry, okAfterRetry, lostPost),
	each("silence", all(timed, always(silent)), timeoutGet, timeoutDelete, timeoutPost),
	each("silence, once", all(timed, once(silent)), okAfterRetry, okAfterRetry, timeoutPost),
	each("header, one byte every 10 ms", all(timed, always(dripHeader)), timeoutGet, timeoutDelete, timeoutPost),
	each("header, one byte every 10 ms, once", all(timed, once(dripHeader)), okAfterRetry, okAfterRetry, timeoutPost),
	same("100, then success", always(after("HTTP/1.1 100 Continue\r\n\r\n")), ok),
	same("102, then success", always(after("HTTP/1.1 102 Processing\r\n\r\n")), ok),
	same("103 three times, then success", always(after(earlyHints+earlyHints+earlyHints)), ok),
	each("103 without end, one every 10 ms", all(timed, always(endlessEarlyHints)), timeoutGet, timeoutDelete, timeoutPost),
	each("103 without end, one every 10 ms, once", all(timed, once(endlessEarlyHints)), okAfterRetry, okAfterRetry, timeoutPost),
	each("103 without end, without a pause", always(floodOfEarlyHints), lostGet, lostDelete, lostPost),
	each("103 without end, without a pause, once", once(floodOfEarlyHints), okAfterRetry, okAfterRetry, lostPost),
	each("not HTTP", always(notHTTP), lostGet, lostDelete, lostPost),
	each("not HTTP, once", once(notHTTP), okAfterRetry, okAfterRetry, lostPost),
	same("Content-Length twice, the same", always(lengthTwice), ok),
	each("Content-Length twice, contradictory", always(lengthsThatDiffer), lostGet, lostDelete, lostPost),
	each("Content-Length twice, contradictory, once", once(lengthsThatDiffer), okAfterRetry, okAfterRetry, lostPost),
	each("Content-Length negative", always(lengthNegative), lostGet, lostDelete, lostPost),
}

// A connection that was used before.
var reusedRows = []row{
	each("kept-alive connection closed before the request is written", closedWhileIdle, ok, okAfterUnsent, okAfterUnsent).
		whenInterrupted("1, 200 %s", "1 of 2, 200 ErrOutcomeUnknown %s", "1 of 2, 201 ErrOutcomeUnknown %s").
		whenCancelledInWait("–", "0 of 1, Canceled", "0 of 1, Canceled"),
	each("kept-alive connection closed while the request is in flight", closedInFlight,
		okAfterUnsent+unwaitedOnce, okAfterUnsent, "0 of 1, ErrOutcomeUnknown").
		whenInterrupted("0 of 1, %s", "0 of 1, ErrOutcomeUnknown %s", "0 of 1, ErrOutcomeUnknown %s").
		whenCancelledInWait("–", "0 of 1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection reset when the request arrives, once", keptAlive(reset, succeed), okAfterRetry+unwaitedOnce, okAfterRetry, lostPost).
		whenCancelledInWait("–", "1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection reset when the request arrives, and every other connection", keptAlive(reset), "5, error"+unwaitedOnce, lostDelete, lostPost).
		whenCancelledInWait("2, Canceled"+unwaitedOnce, "1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection closed when the request arrives, once", keptAlive(closed, succeed), okAfterRetry+unwaitedOnce, okAfterRetry, lostPost).
		whenCancelledInWait("–", "1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection reset when the request arrives, and no such host at the next dial, once",
		all(keptAlive(reset, succeed), dials(noSuchHost, connect)), okAfterRetry, "1 of 2, ErrOutcomeUnknown", lostPost),
	same("408 with Connection: close on a kept-alive connection, once", keptAlive(idleTimeout, succeed), okAfterRetry),
	each("408 with Connection: close on a kept-alive connection, and on every other", keptAlive(idleTimeout, closing408),
		"4, 408", "4, 408 ErrOutcomeUnknown", "2, 408 ErrOutcomeUnknown"),
	each("408 with Connection: close on a new connection, once", once(closing408), okAfterRetry, okAfterRetry, "1, 408 ErrOutcomeUnknown"),
	same("a complete response, then a reset", always(thenReset), ok),
	same("a complete response, then close_notify", all(connections(encrypted), requests(thenCloseNotify)), ok),
}

// closing408 responds with 408 and closes the connection. On a connection that was
// idle, the same response proves that no complete request arrived (idleTimeout).
var (
	closing408  = proving(statusProofs[408], status(408, "Connection: close"))
	idleTimeout = proving(notProcessedBy("RFC 9110, 15.5.9"), closing408)
)
