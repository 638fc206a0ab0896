package main

import (
	"net"
	"slices"
)

// What several rows expect.
const (
	ok         = "1, ok"
	again      = "2, ok"
	unsent     = "0 of 4, error"
	unsentSlow = "0 of 4, DeadlineExceeded"
	sentLater  = "1 of 2, ok"
	unsendable = "0 of 1, error"
	lostAll    = "4, error"
	lostEach   = "4, ErrOutcomeUnknown"
	lostOnce   = "1, ErrOutcomeUnknown"
	slowAll    = "4, DeadlineExceeded"
	slowEach   = "4, ErrOutcomeUnknown DeadlineExceeded"
	slowOnce   = "1, ErrOutcomeUnknown DeadlineExceeded"
	senseless  = "1, 200 ErrInvalidResponse"
	unreadable = "1, 200 ErrInvalidResponse ErrOutcomeUnknown"
	brokenOff  = "4, 200 ErrInvalidResponse"
	slowBody   = unreadable + " DeadlineExceeded"
	refusedAll = "9, error" // eight repetitions of a request that the server refused to look at

	noWait = ", 1 without a wait" // net/http sent the request again by itself
)

// rows is the table.
func rows() []row {
	return slices.Concat(unsentRows, tlsRows, proxyRows, lostRows, reusedRows, http2Rows, goAwayRows, cutRows, senselessRows,
		refusalRows, clientErrorRows, serverErrorRows, waitRows, sequenceRows)
}

var ipv4 = net.IPv4(127, 0, 0, 1)

// Nothing is sent, since there is no connection.
var unsentRows = []row{
	same("none", always(succeed), ok),
	same("dial refused", dials(refusedDial), unsent),
	same("dial refused, once", dials(refusedDial, connect), sentLater),
	same("network unreachable", dials(unreachable), unsent),
	same("network unreachable, once", dials(unreachable, connect), sentLater),
	same("dial without an answer", all(timed, dials(hangingDial)), unsentSlow),
	same("dial without an answer, once", all(timed, dials(hangingDial, connect)), sentLater),
	same("DNS: failure that is temporary", dials(temporaryDNS), unsent),
	same("DNS: failure that is temporary, once", dials(temporaryDNS, connect), sentLater),
	same("DNS: no such host", dials(noSuchHost), unsendable),
	same("DNS: SERVFAIL, once", all(connections(encrypted), lookedUp(&zone{servfails: 1, a: []net.IP{ipv4}})), ok),
	same("two addresses, the first refuses", all(connections(encrypted), lookedUp(&zone{a: []net.IP{net.IPv4(127, 0, 0, 2), ipv4}})), ok),
	same("two addresses, the one of IPv6 without an answer", all(connections(encrypted), lookedUp(&zone{a: []net.IP{ipv4}, aaaa: []net.IP{net.ParseIP("100::1")}})), ok),
}

var tlsRows = []row{
	same("TLS: certificate of an unknown authority", connections(ofUnknown), unsendable),
	same("TLS: certificate for another name", connections(ofAnother), unsendable),
	same("TLS: certificate expired", connections(ofPast), unsendable),
	same("TLS: none at all", connections(notTLS), unsendable),
	same("TLS: handshake cut off", connections(cutOff), unsent),
	same("TLS: handshake cut off, once", connections(cutOff, encrypted), sentLater),
	same("TLS: handshake without an answer", all(timed, connections(mute)), unsentSlow),
	same("TLS: handshake without an answer, once", all(timed, connections(mute, encrypted)), sentLater),
	same("TLS: alert internal_error", connections(alert(alertInternalError)), unsent),
	same("TLS: alert internal_error, once", connections(alert(alertInternalError), encrypted), sentLater),
	same("TLS: alert handshake_failure", connections(alert(alertHandshakeFailure)), unsendable),
	same("TLS: alert protocol_version", connections(alert(alertProtocolVersion)), unsendable),
	same("TLS: alert unrecognized_name", connections(alert(alertUnrecognizedName)), unsendable),
	same("TLS 1.2: certificate of the client demanded", connections(demands12), unsendable),
	same("TLS 1.3: certificate of the client demanded", connections(demands13), unsendable),
	same("TLS 1.3, HTTP/2: certificate of the client demanded", all(connections(demands13), func(f *fault) { f.http2 = true }), unsendable),
}

var proxyRows = []row{
	same("proxy: function fails", proxyFunction(failingProxy), unsent),
	same("proxy: function fails, once", proxyFunction(failingProxy, connect), sentLater),
	same("proxy: function does not return", all(timed, proxyFunction(hangingProxy)), unsentSlow),
	same("proxy: function does not return, once", all(timed, proxyFunction(hangingProxy, connect)), sentLater),
	same("proxy: CONNECT refused with 502", all(proxied, connections(noTunnel("502 Bad Gateway"))), unsent),
	same("proxy: CONNECT refused with 502, once", all(proxied, connections(noTunnel("502 Bad Gateway"), tunnel)), sentLater),
	same("proxy: CONNECT refused with 503, once", all(proxied, connections(noTunnel("503 Service Unavailable"), tunnel)), sentLater),
	same("proxy: CONNECT refused with 429, once", all(proxied, connections(noTunnel("429 Too Many Requests"), tunnel)), sentLater),
	same("proxy: CONNECT refused with 407", all(proxied, connections(noTunnel("407 Proxy Authentication Required"))), unsendable),
	same("proxy: CONNECT refused with 403", all(proxied, connections(noTunnel("403 Forbidden"))), unsendable),
	same("proxy: connection cut off in CONNECT", all(proxied, connections(cutOffConnect)), unsent),
	same("proxy: connection cut off in CONNECT, once", all(proxied, connections(cutOffConnect, tunnel)), sentLater),
}

const earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"

// The response is lost.
var lostRows = []row{
	each("connection closed before the response", always(closed), lostAll, lostEach, lostOnce),
	each("connection closed before the response, once", once(closed), again, again, lostOnce),
	each("connection reset before the response", always(reset), lostAll, lostEach, lostOnce),
	each("connection reset before the response, once", once(reset), again, again, lostOnce),
	each("connection closed in the header", always(closedInHeader), lostAll, lostEach, lostOnce),
	each("connection closed in the header, once", once(closedInHeader), again, again, lostOnce),
	each("connection reset in the header", always(resetInHeader), lostAll, lostEach, lostOnce),
	each("connection reset in the header, once", once(resetInHeader), again, again, lostOnce),
	each("silence", all(timed, always(silent)), slowAll, slowEach, slowOnce),
	each("silence, once", all(timed, once(silent)), again, again, slowOnce),
	each("header that drips", all(timed, always(dripHeader)), slowAll, slowEach, slowOnce),
	each("header that drips, once", all(timed, once(dripHeader)), again, again, slowOnce),
	same("100, then success", always(after("HTTP/1.1 100 Continue\r\n\r\n")), ok),
	same("102, then success", always(after("HTTP/1.1 102 Processing\r\n\r\n")), ok),
	same("103 three times, then success", always(after(earlyHints+earlyHints+earlyHints)), ok),
	each("103 without end, dripping", all(timed, always(endlessEarlyHints)), slowAll, slowEach, slowOnce),
	each("103 without end, dripping, once", all(timed, once(endlessEarlyHints)), again, again, slowOnce),
	each("103 without end, in a flood", always(floodOfEarlyHints), lostAll, lostEach, lostOnce),
	each("103 without end, in a flood, once", once(floodOfEarlyHints), again, again, lostOnce),
	each("not HTTP", always(notHTTP), lostAll, lostEach, lostOnce),
	each("not HTTP, once", once(notHTTP), again, again, lostOnce),
	same("Content-Length twice, the same", always(lengthTwice), ok),
	each("Content-Length twice, contradictory", always(lengthsThatDiffer), lostAll, lostEach, lostOnce),
	each("Content-Length twice, contradictory, once", once(lengthsThatDiffer), again, again, lostOnce),
	each("Content-Length negative", always(lengthNegative), lostAll, lostEach, lostOnce),
}

// A connection that was used before.
var reusedRows = []row{
	each("kept-alive connection closed before the request is written", closedUnnoticed, ok, sentLater, sentLater).
		whenStruck("1, 200 %s", "1 of 2, 200 ErrOutcomeUnknown %s", "1 of 2, 201 ErrOutcomeUnknown %s").
		whenWaiting("–", "0 of 1, Canceled", "0 of 1, Canceled"),
	each("kept-alive connection closed while the request is under way", closedCrossing,
		sentLater+noWait, sentLater, "0 of 1, ErrOutcomeUnknown").
		whenStruck("0 of 1, %s", "0 of 1, ErrOutcomeUnknown %s", "0 of 1, ErrOutcomeUnknown %s").
		whenWaiting("–", "0 of 1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection reset when the request arrives, once", keptAlive(reset, succeed), again+noWait, again, lostOnce).
		whenWaiting("–", "1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection reset when the request arrives, and every other", keptAlive(reset), "5, error"+noWait, lostEach, lostOnce).
		whenWaiting("2, Canceled"+noWait, "1, ErrOutcomeUnknown Canceled", "–"),
	each("kept-alive connection closed when the request arrives, once", keptAlive(closed, succeed), again+noWait, again, lostOnce).
		whenWaiting("–", "1, ErrOutcomeUnknown Canceled", "–"),
	same("408 with Connection: close on a kept-alive connection, once", keptAlive(idleTimeout, succeed), again),
	each("408 with Connection: close on a kept-alive connection, and every other", keptAlive(idleTimeout, closing408),
		"4, 408", "4, 408 ErrOutcomeUnknown", "2, 408 ErrOutcomeUnknown"),
	each("408 with Connection: close on a new connection, once", once(closing408), again, again, "1, 408 ErrOutcomeUnknown"),
	same("a complete response, then a reset", always(thenReset), ok),
	same("a complete response, then close_notify", all(connections(encrypted), requests(thenCloseNotify)), ok),
}

// closing408 ends the connection with a 408. On a connection that was idle before,
// it says that no complete request arrived: idleTimeout.
var (
	closing408  = proving(statusProofs[408], status(408, "Connection: close"))
	idleTimeout = proving(refusedBy("RFC 9110, 15.5.9"), closing408)
)
