package main

import (
	"fmt"
	"strings"
)

const heading = `# What comes of a fault

Each row makes one fault happen to the actions named, against a server on
loopback that counts what arrives. A cell says how many requests arrived, then
how the call ended: "ok", or the status of the last answer and what the error
matches ("error": none of the sentinels). Where the library counted more
attempts than requests that arrived, "1 of 2" gives both: the others failed
before anything was sent. A fault happens to every attempt, unless it happens
"once" and success follows, or the row says what follows. The policy has four
attempts, waits of a few milliseconds, and a bound of 1 MiB for answers. The context lives through the call; or is cancelled before it; or
during the first attempt, when the request arrives (where none arrives, when the
dial or the connection begins; where the body is at fault, when the client has
the header); or when the library begins to wait for the next attempt, if it does
("–": it does not). LATE would mark a call that took longer than its policy
allows.

net/http repeats some requests by itself: a Get whose kept-alive connection
breaks, and over HTTP/2 a Get or Delete that the server says it has not processed.
Those are attempts, too, but have no wait before them.

Made with:

    go run ./internal/faults > docs/faults.md

| fault | action | context alive | cancelled before | cancelled during the attempt | cancelled during the wait |
|---|---|---|---|---|---|
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
	return b.String()
}
