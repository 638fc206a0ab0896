package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/losant-community/losant-rest-go/losanttest"
)

const (
	ctrlC   = "\x03"
	columns = 80
)

// terminal is a program that runs in a pseudo-terminal.
type terminal struct {
	process *exec.Cmd
	keys    io.Writer
	ended   chan struct{} // closed when the output ends

	mu     sync.Mutex
	screen strings.Builder
}

// program returns the command that runs the program as a separate process.
func program(t *testing.T, token string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), asProgram+"=1", tokenVariable+"="+token, "TERM=xterm", "GORACE=atexit_sleep_ms=0")
	return command
}

// openTerminal starts the program in a terminal with 80 columns.
func openTerminal(t *testing.T, token string, args ...string) *terminal {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no pseudo-terminals of this kind")
	}
	process := program(t, token, args...)
	file, err := pty.StartWithSize(process, &pty.Winsize{Rows: 24, Cols: columns})
	require.NoError(t, err)
	term := &terminal{process: process, keys: file, ended: make(chan struct{})}
	go func() {
		defer close(term.ended)
		_, _ = io.Copy(term, file) // on Linux, the error at the end of the program is EIO
	}()
	t.Cleanup(func() {
		_ = process.Process.Kill() // fails if the program has ended
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

// end waits for the program. It returns the exit code and the complete output.
func (s *terminal) end(t *testing.T) (int, string) {
	t.Helper()
	_ = s.process.Wait() // the exit code is returned below
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		require.Fail(t, "the output did not end")
	}
	return s.process.ProcessState.ExitCode(), s.shown()
}

func TestProgramInATerminal(t *testing.T) {
	t.Parallel()
	t.Run("the demonstration only lists", func(t *testing.T) {
		t.Parallel()
		code, shown := openTerminal(t, "").end(t)
		assert.Equal(t, 0, code)
		assert.Contains(t, shown, "Using an embedded server")
		assert.Contains(t, shown, "EXPIRED\n")
		assert.Contains(t, shown, "Nothing was changed.")
		assert.NotContains(t, shown, "%")
	})

	t.Run("the demonstration shows a bar, a retry and an unknown outcome", func(t *testing.T) {
		t.Parallel()
		begin := time.Now()
		code, shown := openTerminal(t, "", "-resend").end(t)
		assert.Equal(t, 3, code)
		assert.Greater(t, time.Since(begin), time.Second, "the progress must be visible")
		for _, want := range []string{
			"\rrenewing   0% [....", "\rrenewing  25% [===", "\rrenewing 100% [====", "(20/20)",
			"at attempt 2, after 429 Too Many Requests\n", "\routcome unknown: person",
			"19 renewed, 0 failed, 1 with an unknown outcome, 0 not started.\nRetries: 1.\n",
			"\nOutcome unknown: these may", "\nThe exit code is 3",
		} {
			assert.Contains(t, shown, want)
		}
		assert.NotContains(t, shown, "[1/20]")
	})

	t.Run("Ctrl-C finishes the renewals in progress", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		api.Inject(losanttest.Fault{Operation: resendOperation, Delay: 500 * time.Millisecond, Times: 5})
		term := openTerminal(t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "2")...)
		waitForRequests(t, api, 2)
		term.press(t, ctrlC)
		term.waitFor(t, "Interrupted. Waiting for the renewals in progress;")
		code, shown := term.end(t)
		assert.Equal(t, 130, code)
		assert.Contains(t, shown, "\n3 expired: 2 renewed, 0 failed, 0 with an unknown outcome, 1 not started.")
		assert.Contains(t, shown, "\rrenewing  66% [")
		assert.Len(t, resent(api), 2)
		assert.Len(t, expiredEmails(api), 1)
	})

	t.Run("a second Ctrl-C abandons and lists the renewals in progress", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		api.Inject(losanttest.Fault{Operation: resendOperation, Delay: time.Minute, TakesEffect: true, Times: 5})
		term := openTerminal(t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "2")...)
		waitForRequests(t, api, 2)
		term.press(t, ctrlC)
		term.waitFor(t, "Interrupted. Waiting for the renewals in progress;")
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

	t.Run("control characters do not reach the terminal", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		proxy := addHostile(t, api)
		for _, flags := range [][]string{{}, {"-json"}, {"-resend", "-yes"}} {
			_, shown := openTerminal(t, api.Token, flagsFor(api, append(flags, "-base-url", proxy)...)...).end(t)
			assert.Contains(t, shown, "31m")
			for _, r := range strings.NewReplacer("\n", "", "\r", "").Replace(shown) {
				assert.GreaterOrEqual(t, r, ' ', "%q", shown)
				assert.NotContains(t, []rune{'\u009b', '\u202e', '\x7f'}, r)
			}
		}
	})

	t.Run("no line of the table and the bar is wider than the terminal", func(t *testing.T) {
		t.Parallel()
		code, shown := openTerminal(t, "", "-resend").end(t)
		assert.Equal(t, 3, code)
		before, after, _ := strings.Cut(shown, "\n20 expired: ")
		assert.Contains(t, before, "ID                        EMAIL")
		lines := strings.FieldsFunc(before, func(r rune) bool { return r == '\r' || r == '\n' })
		assert.Greater(t, len(lines), 40+20)
		for _, line := range append(lines, "20 expired: "+strings.Split(after, "\n")[0]) {
			assert.LessOrEqual(t, uniseg.StringWidth(line), columns, line)
		}
	})

	t.Run("asks before it sends emails", func(t *testing.T) {
		t.Parallel()
		for reply, code := range map[string]int{"y\r": 0, "\r": 130, ctrlC: 130, "\x04": 130} {
			api := newAPI(t)
			term := openTerminal(t, api.Token, flagsFor(api, "-resend")...)
			term.waitFor(t, "Renewing 3 expired invites sends 3 emails.")
			term.waitFor(t, api.OrgID)
			term.waitFor(t, "Continue? [y/N] ")
			assert.Empty(t, resent(api))
			term.press(t, reply)
			got, shown := term.end(t)
			assert.Equal(t, code, got, "%q: %s", reply, shown)
			assert.Len(t, resent(api), map[int]int{0: 3, 130: 0}[code])
		}
	})

	t.Run("SIGHUP finishes the renewals in progress", func(t *testing.T) {
		t.Parallel()
		if signal.Ignored(syscall.SIGHUP) {
			t.Skip("the tests run under nohup")
		}
		api := newAPI(t)
		api.Inject(losanttest.Fault{Operation: resendOperation, Delay: time.Second, Times: 5})
		term := openTerminal(t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "2")...)
		waitForRequests(t, api, 2)
		require.NoError(t, term.process.Process.Signal(syscall.SIGHUP))
		term.waitFor(t, "Interrupted. Waiting for the renewals in progress;")
		require.NoError(t, term.process.Process.Signal(syscall.SIGHUP)) // the shell and the kernel each send one
		code, shown := term.end(t)
		assert.Equal(t, 130, code)
		assert.Contains(t, shown, "\n3 expired: 2 renewed, 0 failed, 0 with an unknown outcome, 1 not started.")
		assert.Len(t, resent(api), 2)
	})
}

// separate runs the program with that file as its standard output. It returns the
// exit code and the standard error.
func separate(t *testing.T, stdout *os.File, token string, args ...string) (int, string) {
	t.Helper()
	process := program(t, token, args...)
	var stderr strings.Builder
	process.Stdout, process.Stderr = stdout, &stderr
	_ = process.Run() // the exit code is returned below
	return process.ProcessState.ExitCode(), stderr.String()
}

func TestProgramWithoutATerminal(t *testing.T) {
	t.Parallel()
	t.Run("plain lines", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		output, err := program(t, api.Token, flagsFor(api, "-resend", "-yes")...).CombinedOutput()
		require.NoError(t, err)
		assert.Contains(t, string(output), "\n[3/3] renewed: ")
		assert.NotContains(t, string(output), "\r")
		assert.NotContains(t, string(output), "Continue?")
	})

	t.Run("no emails are sent without -yes", func(t *testing.T) {
		t.Parallel()
		api := newAPI(t)
		process := program(t, api.Token, flagsFor(api, "-resend")...)
		process.Stdin = strings.NewReader("y\n")
		output, err := process.CombinedOutput()
		require.Error(t, err)
		assert.Equal(t, 2, process.ProcessState.ExitCode())
		assert.Equal(t, "renew: -resend sends emails, but the standard input is not a terminal, so you cannot confirm; add -yes\n", string(output))
		assert.Empty(t, api.Requests())
	})

	t.Run("a closed pipe does not hide the summary", func(t *testing.T) {
		t.Parallel()
		if runtime.GOOS == "windows" {
			t.Skip("Windows has another error for a closed pipe: the exit code is 1")
		}
		for format, faults := range map[string][]losanttest.Fault{
			"-json": {{Operation: resendOperation, Cut: true, TakesEffect: true}}, "-json=false": nil,
		} {
			api := newAPI(t)
			api.Inject(faults...)
			read, write, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, read.Close())
			code, stderr := separate(t, write, api.Token, flagsFor(api, "-resend", "-yes", format)...)
			require.NoError(t, write.Close())
			assert.Equal(t, 3*len(faults), code, stderr)
			assert.Contains(t, stderr, "\n3 expired: ")
			assert.NotContains(t, stderr, "standard output")
			assert.Len(t, resent(api), 3)
		}
	})

	t.Run("a full disk does not hide an unknown outcome", func(t *testing.T) {
		t.Parallel()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("there is no /dev/full: ", err)
		}
		defer func() { _ = full.Close() }()
		code, stderr := separate(t, full, "", "-resend", "-json")
		assert.Equal(t, 3, code)
		assert.Contains(t, stderr, "\n20 expired: 19 renewed, 0 failed, 1 with an unknown outcome, 0 not started.\n")
		assert.Contains(t, stderr, "\nrenew: standard output: write /dev/stdout: no space left on device\n")
	})

	t.Run("nohup is respected", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("nohup"); err != nil {
			t.Skip(err)
		}
		api := newAPI(t)
		api.Inject(losanttest.Fault{Operation: resendOperation, Delay: 200 * time.Millisecond, Times: 5})
		process := program(t, api.Token, flagsFor(api, "-resend", "-yes", "-parallel", "1")...)
		nohup, err := exec.LookPath("nohup")
		require.NoError(t, err)
		process.Path, process.Args = nohup, append([]string{"nohup"}, process.Args...)
		process.Stdout, process.Stderr = io.Discard, io.Discard
		require.NoError(t, process.Start())
		waitForRequests(t, api, 1)
		require.NoError(t, process.Process.Signal(syscall.SIGHUP))
		assert.NoError(t, process.Wait())
		assert.Len(t, resent(api), 3)
	})
}
