package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/losant-community/losant-rest-go"
)

func newTestProgress(terminal bool, env string) (*progress, *bytes.Buffer) {
	var out bytes.Buffer
	return newProgress(process{
		stderr:     &out,
		getenv:     func(string) string { return env },
		isTerminal: func(any) bool { return terminal },
	}, 3), &out
}

func steps() []renewal {
	invite := losant.OrgInvite{Email: "ada\x1b[2J@example.com"}
	return []renewal{
		{Invite: invite, Outcome: renewed, Statuses: []int{201}},
		{Invite: invite, Outcome: renewed, Statuses: []int{429, 0, 999, 201}},
		{Invite: invite, Outcome: unknown, Statuses: []int{0}, Error: "a long error"},
	}
}

func TestProgressIsPlainLinesWithoutATerminal(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]func() (*progress, *bytes.Buffer){
		"no terminal":     func() (*progress, *bytes.Buffer) { return newTestProgress(false, "xterm") },
		"a dumb terminal": func() (*progress, *bytes.Buffer) { return newTestProgress(true, "dumb") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			display, out := plain()
			for _, step := range steps() {
				display.step(step)
			}
			display.note("a note")
			display.close()
			display.note("too late")
			assert.Equal(t, "[1/3] renewed: ada[2J@example.com\n"+
				"[2/3] renewed: ada[2J@example.com, at attempt 4, after 429 Too Many Requests, no response, 999\n"+
				"[3/3] outcome unknown: ada[2J@example.com: no response\n"+
				"a note\n", out.String())
		})
	}
}

func TestProgressIsABarOnATerminal(t *testing.T) {
	t.Parallel()
	display, out := newTestProgress(true, "xterm")
	display.note("before the first")
	for _, step := range steps() {
		display.step(step)
	}
	display.close()
	display.note("too late")
	shown := out.String()
	for _, want := range []string{
		"\rrenewing   0% [", "\rrenewing  33% [", "\rrenewing  66% [", "\rrenewing 100% [", "(3/3)",
		"\rbefore the first\n", "\rrenewed: ada[2J@example.com, at attempt 4, after", "\routcome unknown: ada[2J@example.com",
	} {
		assert.Contains(t, shown, want)
	}
	assert.Equal(t, 1, strings.Count(shown, "renewed: "), "a renewal without retries has no line")
	assert.NotContains(t, shown, "too late")
	assert.NotContains(t, shown, "\x1b")
	assert.True(t, strings.HasSuffix(shown, "\n\n"))
}
