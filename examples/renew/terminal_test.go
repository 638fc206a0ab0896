package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go/losanttest"
)

const ctrlC = "\x03"

// terminal is a program in a pseudo-terminal, as somebody has it before them.
type terminal struct {
	process *exec.Cmd
	keys    io.Writer
	ended   chan struct{} // closed when the screen shows no more

	mu     sync.Mutex
	screen strings.Builder
}

func openTerminal(t *testing.T, program, token string, args ...string) *terminal {
	t.Helper()
	process := exec.CommandContext(t.Context(), program, args...)
	process.Env = append(os.Environ(), tokenVariable+"="+token, "TERM=xterm")
	file, err := pty.StartWithSize(process, &pty.Winsize{Rows: 24, Cols: 100})
	require.NoError(t, err)
	term := &terminal{process: process, keys: file, ended: make(chan struct{})}
	go func() {
		defer close(term.ended)
		_, _ = io.Copy(term, file) // until the program is gone, which Linux calls an input/output error
	}()
	t.Cleanup(func() {
		_ = process.Process.Kill() // it has ended, unless the test failed
		_ = file.Close()
		<-term.ended
	})
	return term
}

func (s *terminal) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Write(data)
}

func (s *terminal) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.screen.String(), "\r\n", "\n")
}

func (s *terminal) waitFor(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.shown(), text) }, 10*time.Second, time.Millisecond,
		"%q did not appear", text)
}

func (s *terminal) press(t *testing.T, key string) {
	t.Helper()
	_, err := io.WriteString(s.keys, key)
	require.NoError(t, err)
}

// end returns the exit code and all that was shown.
func (s *terminal) end(t *testing.T) (int, string) {
	t.Helper()
	_ = s.process.Wait() // its error is the exit code
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		require.Fail(t, "the terminal was not released")
	}
	return s.process.ProcessState.ExitCode(), s.shown()
}

func TestInATerminal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no pseudo-terminals of this kind")
	}
	program := filepath.Join(t.TempDir(), "renew")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", output)

	t.Run("the demonstration only looks", func(t *testing.T) {
		t.Parallel()
		code, shown := openTerminal(t, program, "").end(t)
		assert.Equal(t, 0, code)
		assert.Contains(t, shown, "Talking to an embedded server")
		assert.Contains(t, shown, "EXPIRED\n")
		assert.Contains(t, shown, "Nothing was changed.")
		assert.NotContains(t, shown, "%")
	})

	t.Run("the demonstration shows a bar, a retry and an unknown outcome", func(t *testing.T) {
		t.Parallel()
		begin := time.Now()
		code, shown := openTerminal(t, program, "", "-resend").end(t)
		assert.Equal(t, 3, code)
		assert.Greater(t, time.Since(begin), time.Second, "too fast to be seen")
		for _, want := range []string{
			"\rrenewing   0% [....", "\rrenewing  25% [===", "\rrenewing 100% [====", "(20/20)",
			"at attempt 2, after 429 Too Many Requests\n", "\routcome unknown: person",
			"19 renewed, 0 failed, 1 with an unknown outcome, 0 not started. Requests sent again: 1.\n",
			"\nOutcome unknown: each of these", "\nIt exits with 3",
		} {
			assert.Contains(t, shown, want)
		}
		assert.NotContains(t, shown, "[1/20]")
	})

	t.Run("Ctrl-C finishes what is in flight", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		api.Inject(losanttest.Fault{Operation: resendOperation, Delay: 500 * time.Millisecond, Times: 5})
		term := openTerminal(t, program, api.Token, flagsFor(api, "-resend", "-parallel", "2")...)
		waitForRequests(t, api, 2)
		term.press(t, ctrlC)
		term.waitFor(t, "Interrupted: the calls in flight are being finished.")
		code, shown := term.end(t)
		assert.Equal(t, 130, code)
		assert.Contains(t, shown, "\n3 expired: 2 renewed, 0 failed, 0 with an unknown outcome, 1 not started.")
		assert.Contains(t, shown, "\rrenewing  66% [")
		assert.Len(t, resent(api), 2)
		assert.Len(t, expiredEmails(api), 1)
	})

	t.Run("a second Ctrl-C abandons and names what is in flight", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		api.Inject(losanttest.Fault{Operation: resendOperation, Delay: time.Minute, TakesEffect: true, Times: 5})
		term := openTerminal(t, program, api.Token, flagsFor(api, "-resend", "-parallel", "2")...)
		waitForRequests(t, api, 2)
		term.press(t, ctrlC)
		term.waitFor(t, "Interrupted: the calls in flight are being finished.")
		begin := time.Now()
		term.press(t, ctrlC)
		code, shown := term.end(t)
		assert.Less(t, time.Since(begin), 5*time.Second)
		assert.Equal(t, 3, code)
		assert.Contains(t, shown, "\n3 expired: 0 renewed, 0 failed, 2 with an unknown outcome, 1 not started.")
		_, named, _ := strings.Cut(shown, "\nOutcome unknown: ")
		for _, request := range resent(api) {
			assert.Contains(t, named, request.Path[strings.LastIndex(request.Path, "/")+1:])
		}
		assert.Len(t, resent(api), 2)
	})

	t.Run("hostile texts do not reach the terminal", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		api.AddInvite(hostileInvite())
		for _, flags := range [][]string{{}, {"-json"}, {"-resend"}} {
			_, shown := openTerminal(t, program, api.Token, flagsFor(api, flags...)...).end(t)
			for _, r := range strings.NewReplacer("\n", "", "\r", "").Replace(shown) {
				assert.GreaterOrEqual(t, r, ' ', "%q", shown)
				assert.NotContains(t, []rune{'\u009b', '\u202e', '\x7f'}, r)
			}
		}
	})

	t.Run("plain lines where the standard error is no terminal", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		process := exec.CommandContext(t.Context(), program, flagsFor(api, "-resend")...)
		process.Env = append(os.Environ(), tokenVariable+"="+api.Token)
		output, err := process.CombinedOutput()
		require.NoError(t, err)
		assert.Contains(t, string(output), "\n[3/3] renewed: ")
		assert.NotContains(t, string(output), "\r")
	})
}

func waitForRequests(t *testing.T, api *losanttest.Server, count int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(resent(api)) >= count }, 10*time.Second, time.Millisecond)
}
