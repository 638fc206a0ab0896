package losant

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/losant-community/losant-rest-go/internal/redact"
	"github.com/losant-community/losant-rest-go/internal/retry"
	"github.com/losant-community/losant-rest-go/internal/text"
)

// watcher logs the attempts of a call.
type watcher struct {
	logger *slog.Logger
	x      *exchange
}

// Attempted logs an attempt.
func (w watcher) Attempted(ctx context.Context, number int, a retry.Attempt) {
	w.log(ctx, slog.LevelDebug, "losant: attempt", number, a)
}

// Retrying logs that another attempt will follow.
func (w watcher) Retrying(ctx context.Context, number int, last retry.Attempt, wait time.Duration) {
	w.log(ctx, slog.LevelWarn, "losant: retry", number, last, slog.Duration("wait", wait))
}

func (w watcher) log(ctx context.Context, level slog.Level, message string, number int, a retry.Attempt, more ...slog.Attr) {
	if !w.logger.Enabled(ctx, level) {
		return
	}
	operation := w.x.operation
	attrs := append([]slog.Attr{
		slog.String("operation", operation.Name),
		slog.String("method", operation.Method),
		slog.String("path", operation.PathTemplate),
		slog.Int("status", a.StatusCode),
		slog.Duration("duration", a.Duration),
		slog.Int("attempt", number),
	}, more...)
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", w.x.anonymous(a.Err)))
	}
	w.logger.LogAttrs(ctx, level, message, attrs...)
}

// anonymous returns the text of err without tokens, ids, names and addresses,
// which transports quote from URLs and from responses.
func (x *exchange) anonymous(err error) string {
	private := []string{} // escaped forms are found by their escapes
	words := strings.Split(x.operation.PathTemplate, "/")
	for segment := range strings.SplitSeq(x.url.Path, "/") {
		if !slices.Contains(words, segment) {
			private = append(private, segment)
		}
	}
	for name, values := range x.url.Query() {
		if !strings.HasPrefix(name, "_") { // not the flags, which are true or false
			private = append(private, values...)
		}
	}
	return text.Printable(redact.Anonymous(x.tokens.redact(err.Error()), private...))
}

// Operation names the action that a request is for. Its fields have few distinct
// values, so they are suitable as names of spans and labels of metrics.
type Operation struct {
	Name         string // such as "InstanceOrgInvite.Get"
	Method       string // such as GET
	PathTemplate string // such as "/instances/{instanceId}/orgs/{orgId}/invites/{inviteId}"
}

type operationKey struct{}

// OperationFromContext returns the operation of a request. ctx is the context of
// the request as an [http.RoundTripper] sees it; see [WithHTTPClient]. It
// returns false for requests that this package did not make.
func OperationFromContext(ctx context.Context) (Operation, bool) {
	operation, ok := ctx.Value(operationKey{}).(*Operation)
	if !ok {
		return Operation{}, false
	}
	return *operation, true
}
