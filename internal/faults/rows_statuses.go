package main

import (
	"slices"
	"strconv"
	"strings"
)

// The dialer leads every host to the same server, so that a followed redirect
// arrives as another request.
const elsewhere = "Location: http://elsewhere.losant.test/"

func count(n, code int, matches ...string) string {
	return strings.Join(append([]string{strconv.Itoa(n) + ", " + strconv.Itoa(code)}, matches...), " ")
}

func invalid(code int) string { return count(1, code, "ErrInvalidResponse", "ErrOutcomeUnknown") }

// Redirects mean that the request was not processed, except 303, the usual response
// to a POST that was.
var refusalRows = []row{
	same("300", always(status(300)), count(1, 300)),
	same("301 to another origin", always(status(301, elsewhere)), count(1, 301)),
	same("302 to another origin", always(status(302, elsewhere)), count(1, 302)),
	each("303 to another origin", always(status(303, elsewhere)), count(1, 303), count(1, 303, "ErrOutcomeUnknown"), count(1, 303, "ErrOutcomeUnknown")),
	each("303 to the same origin", always(status(303, "Location: /elsewhere")), count(1, 303), count(1, 303, "ErrOutcomeUnknown"), count(1, 303, "ErrOutcomeUnknown")),
	same("307 to another origin", always(status(307, elsewhere)), count(1, 307)),
	same("307 without a Location", always(status(307)), count(1, 307)),
	same("308 to another origin", always(status(308, elsewhere)), count(1, 308)),
	same("308 to the same origin", always(status(308, "Location: /elsewhere")), count(1, 308)),
}

// 4xx of the API, or of a proxy in front of it.
var clientErrorRows = []row{
	same("400", always(status(400)), count(1, 400, "ErrBadRequest")),
	same("401", always(status(401)), count(1, 401, "ErrUnauthorized")),
	same("402", always(status(402)), count(1, 402)),
	same("403", always(status(403)), count(1, 403, "ErrForbidden")),
	same("404", always(status(404)), count(1, 404, "ErrNotFound")),
	same("404 whose body is cut off", always(cutBody(404)), count(1, 404, "ErrInvalidResponse")),
	same("404 with HTML", always(html(404)), count(1, 404, "ErrInvalidResponse")),
	same("404 with text", always(response(404, "default backend - 404")), count(1, 404, "ErrInvalidResponse")),
	same("404 with an empty body", always(response(404, "")), count(1, 404, "ErrInvalidResponse")),
	same("404 with []", always(response(404, "[]")), count(1, 404, "ErrInvalidResponse")),
	same("405", always(status(405)), count(1, 405)),
	same("406", always(status(406)), count(1, 406)),
	each("408", always(status(408)), count(4, 408), count(4, 408, "ErrOutcomeUnknown"), count(1, 408, "ErrOutcomeUnknown")),
	each("408, once", once(status(408)), okAfterRetry, okAfterRetry, count(1, 408, "ErrOutcomeUnknown")),
	same("409", always(status(409)), count(1, 409, "ErrConflict")),
	same("410", always(status(410)), count(1, 410, "ErrGone")),
	same("410 with HTML", always(html(410)), count(1, 410, "ErrInvalidResponse")),
	same("411", always(status(411)), count(1, 411)),
	same("412", always(status(412)), count(1, 412)),
	same("413", always(status(413)), count(1, 413)),
	same("414", always(status(414)), count(1, 414)),
	same("415", always(status(415)), count(1, 415)),
	same("418", always(status(418)), count(1, 418)),
	same("421", always(unseen(status(421))), count(4, 421)),
	same("421 on one connection, success on another", all(byConnection, requests(unseen(status(421)), succeed)), okAfterRetry),
	same("422", always(status(422)), count(1, 422)),
	same("423", always(status(423)), count(1, 423)),
	same("424", always(status(424)), count(1, 424)),
	same("425", always(status(425)), count(4, 425)),
	same("425, once", once(status(425)), okAfterRetry),
	same("426", always(status(426)), count(1, 426)),
	same("428", always(status(428)), count(1, 428)),
	same("429", always(status(429)), count(4, 429, "ErrRateLimited")),
	same("429, once", once(status(429)), okAfterRetry),
	same("429 whose body is cut off, once", once(cutBody(429)), okAfterRetry),
	same("431", always(status(431)), count(1, 431)),
	same("451", always(status(451)), count(1, 451)),
	each("460 (AWS load balancer)", always(status(460)), count(4, 460), count(4, 460, "ErrOutcomeUnknown"), count(1, 460, "ErrOutcomeUnknown")),
	each("460 (AWS load balancer), once", once(status(460)), okAfterRetry, okAfterRetry, count(1, 460, "ErrOutcomeUnknown")),
	each("499 (nginx)", always(status(499)), count(4, 499), count(4, 499, "ErrOutcomeUnknown"), count(1, 499, "ErrOutcomeUnknown")),
	each("499 (nginx), once", once(status(499)), okAfterRetry, okAfterRetry, count(1, 499, "ErrOutcomeUnknown")),
}

// passing returns rows for a temporary failure.
func passing(name string, code int, s step) []row {
	unknown := count(1, code, "ErrServer", "ErrOutcomeUnknown")
	return []row{
		each(name, always(s), count(4, code, "ErrServer"), count(4, code, "ErrServer", "ErrOutcomeUnknown"), unknown),
		each(name+", once", once(s), okAfterRetry, okAfterRetry, unknown),
	}
}

// lasting returns a row for a failure of configuration, which is not retried.
func lasting(code int) row {
	unknown := count(1, code, "ErrServer", "ErrOutcomeUnknown")
	return each(strconv.Itoa(code), always(status(code)), count(1, code, "ErrServer"), unknown, unknown)
}

// 5xx of the API, or of a proxy in front of it.
var serverErrorRows = slices.Concat(
	passing("500", 500, status(500)),
	[]row{same("501", always(status(501)), count(1, 501, "ErrServer"))},
	passing("502", 502, status(502)),
	passing("502 with HTML", 502, html(502)),
	passing("503", 503, status(503)),
	passing("503 whose body is cut off", 503, cutBody(503)),
	passing("503 followed by a complete success", 503, smuggled)[:1],
	passing("504", 504, status(504)),
	[]row{
		same("505", always(status(505)), count(1, 505, "ErrServer")),
		lasting(506), lasting(507), lasting(508), lasting(510),
		same("511", always(status(511)), count(1, 511, "ErrServer")),
	},
	passing("520 (Cloudflare)", 520, status(520)),
	passing("522 (Cloudflare)", 522, status(522)),
	passing("599", 599, status(599)),
)
