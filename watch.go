package losant

import (
	"context"
	"log/slog"
	"strings"
	"time"

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
		attrs = append(attrs, slog.String("error", w.x.withoutIDs(a.Err.Error())))
	}
	w.logger.LogAttrs(ctx, level, message, attrs...)
}

// withoutIDs removes the URL, and with it ids and queries, from the text of an
// error.
func (x *exchange) withoutIDs(s string) string {
	for _, private := range []string{x.url.RequestURI(), x.url.EscapedPath(), x.url.Path, x.url.RawQuery} {
		s = strings.ReplaceAll(s, private, x.operation.PathTemplate)
	}
	return text.Printable(s)
}

// Operation is what a request is for. Its fields have few values, so that they
// can name spans and label metrics.
type Operation struct {
	Name         string // "InstanceOrgInvite.Get"
	Method       string // GET
	PathTemplate string // "/instances/{instanceId}/orgs/{orgId}/invites/{inviteId}"
}

type operationKey struct{}

// OperationFromContext returns the operation that a request of this package
// belongs to. ctx is the context of the request as an [http.RoundTripper]
// below the client sees it; see [WithHTTPClient].
func OperationFromContext(ctx context.Context) (Operation, bool) {
	operation, ok := ctx.Value(operationKey{}).(*Operation)
	if !ok {
		return Operation{}, false
	}
	return *operation, true
}
