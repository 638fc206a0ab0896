package main

import (
	"fmt"
	"strings"
)

const heading = `# What comes of a fault

The tests make each fault happen to each method of InstanceOrgInvite, against a
server on loopback that counts the requests. Every expectation and every proof
on this page was written by hand. The tests compare them with what happens.

Made with:

    go run ./internal/faults > docs/faults.md

## How to read the table

**Proof** says what the client can know about the request after the fault, and
which section says so: "acted", the request was processed; "refused", it was not
processed, or never sent; "nothing known", it may have been processed. A fault
that follows another has a proof of its own. The rule that the tests check in every
cell: a call that fails, and is not a Get, matches ErrOutcomeUnknown exactly if
the proof of one of its attempts is "nothing known".

A **cell** says how many requests arrived, and then how the call ended: "ok", or the
status of the last response and the sentinels that the error matches ("error":
none). "1 of 2" means that one request arrived and the library counted two
attempts: the other failed before anything was sent. A wait precedes every retry;
"1 without a wait" counts the requests that net/http sent again by itself.

A fault happens to every attempt, unless the row says "once", after which the
attempt succeeds, or names what follows. The policy has four attempts, waits of a
few milliseconds, and a limit of 1 MiB for responses.

The **columns** differ in the context of the call:

- it lives through the call;
- the caller's deadline passes during the first attempt, or the caller cancels
  then: when the client has read what the server sends of the fault; where the
  server sends nothing, when the request arrives; where no request arrives, when
  the dial or the connection begins; and over HTTP/2, before the response. Then the
  proof is that of the status, if the client has it, and else "nothing known".
  A success that is announced and does not arrive proves nothing;
- the caller cancels when the library begins to wait for a retry ("–": it does
  not wait).

| fault | proof | action | context alive | deadline passes during the attempt | cancelled during the attempt | cancelled during the wait |
|---|---|---|---|---|---|---|
`

const sections = `
## Few streams

A server of net/http permits 1, 10 or 50 HTTP/2 streams on a connection, with and
without TLS, and 64, 100 or 250 goroutines make one call each at the same moment.
The server refuses the requests above its limit (RFC 9113, 5.1.2 and 8.7). The
transport is set up as that of NewClient. With one stream, a few calls of many can
run out of their eight retries: they fail, and certainly were not handled.

There is one exception, of about one in 10,000 calls on a busy machine. net/http's
client can open a stream after it has acknowledged a lower limit, and its server
responds with PROTOCOL_ERROR instead of REFUSED_STREAM. That proves nothing (RFC
9113, 5.1.2), so that the outcome of a Delete or ResendInvite is unknown, although
it was not handled.

| streams | Get | Delete | ResendInvite |
|---|---|---|---|
| 1 | none has an unknown outcome | none has an unknown outcome | none has an unknown outcome, none is handled twice |
| 10 | all succeed | all succeed | all succeed, each handled once |
| 50 | all succeed | all succeed | all succeed, each handled once |

## Pools, proxies and other transports

Faults that do not fit the table, because they need several connections or a
transport of another kind. "The same" means that all three methods behave alike.

| fault | proof | expected |
|---|---|---|
| the peers of 1, 4 or 8 idle connections are gone without a word | nothing known (RFC 9112, 9.5) | after one timeout a new connection: Get and Delete 2, ok; ResendInvite 1, ErrOutcomeUnknown DeadlineExceeded |
| 64 idle connections, each reset at the next request | nothing known (RFC 9112, 9.3.1) | Get at most 9 requests, all counted, since net/http repeats it at most 8 times; Delete at most MaxAttempts; ResendInvite 1 |
| a server closes idle HTTP/2 connections after 2 ms, 300 ResendInvites | refused (RFC 9113, 6.8) | all succeed, each handled once |
| 401, 413 or 429 while 8 MB are sent by POST, the server reads the rest | refused (RFC 9110, 15.5) | the status, certain; after 429 4 attempts |
| the same, the server closes at once | the status, or nothing known (RFC 9112, 9.6) | the status, certain, if it arrived; else ErrOutcomeUnknown |
| the only connection of the pool is in use, the deadline passes | refused (no connection) | the same: 0 of 1, DeadlineExceeded |
| the only HTTP/2 stream is in use (StrictMaxConcurrentRequests, Go 1.26), the deadline passes | refused (RFC 9113, 5.1.2) | the same: 0 of 1, DeadlineExceeded |
| a failover transport: the first server refuses the dial, the second receives the request and closes | nothing known (RFC 9112, 9.3.1) | Delete and ResendInvite: ErrOutcomeUnknown |
| a transport around net/http's own, the dial is refused | refused (RFC 9293, 3.5.2) | the same: 0 of 4, error |
| the proxy of the environment refuses CONNECT with 403 or 407 | refused (RFC 9110, 9.3.6) | the same: one attempt |
| it refuses with 502 | refused (RFC 9110, 9.3.6) | the same: four attempts |
| it refuses with 429 or 503 and Retry-After: 1 | refused (RFC 9110, 10.2.3) | the same: waits a second |
| it refuses with 429 and a Retry-After above MaxWait | refused (RFC 9110, 10.2.3) | the same: one attempt |

"503 with a complete success behind it", in the table, depends on net/http: the
bytes behind a response must not become the response to the next request. net/http
closes such a connection, but not before it is back in the pool. A request that
takes the connection in these microseconds gets the wrong response. The wait before
every retry keeps the retries of a call clear of it; another call on the same
connection can be hit.
`

// markdown prints the table as its rows expect it. Actions of which the same is
// expected share a line.
func markdown(rows []row) string {
	var b strings.Builder
	b.WriteString(heading)
	for _, row := range rows {
		var lines []string
		names := map[string][]string{}
		for a, action := range actions() {
			expected := row.expect(a)
			line := strings.Join(expected[:], " | ")
			if names[line] == nil {
				lines = append(lines, line)
			}
			names[line] = append(names[line], action.name)
		}
		f := row.fault()
		title, proofs := row.name, f.proofs()
		for _, line := range lines {
			who := strings.Join(names[line], ", ")
			if len(lines) == 1 {
				who = "all"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", title, proofs, who, line)
			title, proofs = "", ""
		}
	}
	b.WriteString(sections)
	return b.String()
}
