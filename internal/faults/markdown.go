package main

import (
	"fmt"
	"strings"
)

const heading = `# Faults and their results

The tests make each fault happen to each method of InstanceOrgInvite. A server on
loopback counts the requests. Every expectation and every proof on this page is
written by hand, and the tests compare them with the results.

To update this page:

    go run ./internal/faults > docs/faults.md

## How to read the table

**Proof** says what the client can know about the request after the fault, and
which section says so:

- "processed": the server processed the request;
- "not processed": the server did not process the request or did not receive it;
- "unknown": the server may have processed the request.

Each step of a fault has its own proof. The tests check one rule in every cell: a
call that fails, and is not a Get, matches ErrOutcomeUnknown if and only if the
proof of one of its attempts is "unknown".

A **cell** says how many requests arrived and how the call ended: "ok", or the
status of the last response and the sentinels that the error matches ("error" if it
matches none). "1 of 2" means that the library counted two attempts and one request
arrived. The other attempt failed before anything was sent. A wait precedes every
retry. "1 without a wait" counts the requests that net/http repeated by itself.

A fault happens to every attempt. If the row says "once", the next attempt succeeds.
The policy has four attempts, waits of a few milliseconds, and a limit of 1 MiB for
responses.

The **columns** differ in the context of the call:

- it does not end;
- its deadline passes during the first attempt, or the caller cancels it during the
  first attempt;
- the caller cancels it when the library begins to wait for a retry ("–": the
  library does not wait).

In the second and third column the context ends when the client has read the part of
the response that the server sends. If the server sends nothing, the context ends
when the request arrives. If no request arrives, it ends when the dial or the
connection begins. Over HTTP/2 it ends before the response. The proof is then that
of the status if the client received it, and otherwise "unknown". A success without
its complete body proves nothing.

| fault | proof | action | context does not end | deadline passes during the attempt | cancelled during the attempt | cancelled during the wait |
|---|---|---|---|---|---|---|
`

const sections = `
## Few streams

A server of net/http permits 1, 10 or 50 HTTP/2 streams on a connection, with and
without TLS. 64, 100 or 250 goroutines make one call each at the same moment. The
server refuses the requests above its limit (RFC 9113, 5.1.2 and 8.7). The transport
has the settings of NewClient. With one stream, a few calls of many can use up their
eight retries. They fail, and certainly were not processed.

There is one exception, in about one of 10,000 calls on a busy machine. The client of
net/http can open a stream after it has acknowledged a lower limit, and the server
responds with PROTOCOL_ERROR instead of REFUSED_STREAM. That proves nothing (RFC
9113, 5.1.2). The outcome of a Delete or ResendInvite is then unknown, although it
was not processed.

| streams | Get | Delete | ResendInvite |
|---|---|---|---|
| 1 | none has an unknown outcome | none has an unknown outcome | none has an unknown outcome, none is processed twice |
| 10 | all succeed | all succeed | all succeed, each processed once |
| 50 | all succeed | all succeed | all succeed, each processed once |

## Pools, proxies and other transports

These faults need several connections or another kind of transport. "All" means that
the three methods behave alike.

| fault | proof | expected |
|---|---|---|
| the peers of 1, 4 or 8 idle connections no longer respond | unknown (RFC 9112, 9.5) | a new connection after one timeout: Get and Delete 2, ok; ResendInvite 1, ErrOutcomeUnknown DeadlineExceeded |
| 4 idle connections to a server that responds with 421 | not processed (RFC 9110, 15.5.20) | a new connection for the retry: all 2, ok |
| 64 idle connections, each reset at the next request | unknown (RFC 9112, 9.3.1) | Get at most 9 requests, all counted, because net/http repeats it at most 8 times; Delete at most MaxAttempts; ResendInvite 1 |
| a server closes idle HTTP/2 connections after 2 ms, 300 ResendInvites | not processed (RFC 9113, 6.8) | all succeed, each processed once |
| 401, 413 or 429 during a POST of 8 MB, the server reads the rest | not processed (RFC 9110, 15.5) | the status, not ErrOutcomeUnknown; after 429 4 attempts |
| the same, the server closes the connection at once | the status, or unknown (RFC 9112, 9.6) | the status if it arrived; otherwise ErrOutcomeUnknown |
| the only connection of the pool is in use, the deadline passes | not processed (no connection) | all: 0 of 1, DeadlineExceeded |
| the only HTTP/2 stream is in use (StrictMaxConcurrentRequests, Go 1.26), the deadline passes | not processed (RFC 9113, 5.1.2) | all: 0 of 1, DeadlineExceeded |
| a failover transport: the first server refuses the dial, the second receives the request and closes the connection | unknown (RFC 9112, 9.3.1) | Delete and ResendInvite: ErrOutcomeUnknown |
| a transport that wraps that of net/http, the dial is refused | not processed (RFC 9293, 3.5.2) | all: 0 of 4, error |
| the proxy of the environment refuses CONNECT with 403 or 407 | not processed (RFC 9110, 9.3.6) | all: one attempt |
| it refuses with 502 | not processed (RFC 9110, 9.3.6) | all: four attempts |
| it refuses with 429 or 503 and Retry-After: 1 | not processed (RFC 9110, 10.2.3) | all: a wait of at least a second |
| it refuses with 429 and a Retry-After above MaxWait | not processed (RFC 9110, 10.2.3) | all: one attempt |

"503 followed by a complete success", in the table, depends on net/http. The bytes
after a response must not become the response to the next request. net/http closes
such a connection, but only after it has returned the connection to the pool. A
request that takes the connection within these microseconds gets the wrong response.
The wait before every retry protects the retries of the same call. Another call that
uses the same connection is not protected.
`

// markdown returns the page. Actions with the same expectations share a line.
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
