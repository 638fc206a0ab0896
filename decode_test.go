package losant_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// decodes are calls with a type of response each.
var decodes = map[string]func(context.Context, *losant.Client, ...losant.RequestOption) error{
	"invite": func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
		_, err := c.InstanceOrgInvite.Get(ctx, ref, opts...)
		return err
	},
	"list": func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
		_, err := c.InstanceOrgInvites.Get(ctx, invitesRef, losant.InstanceOrgInvitesQuery{}, opts...)
		return err
	},
	"posted": func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
		_, err := c.InstanceOrgInvites.Post(ctx, invitesRef, losant.OrgInvitePost{Email: "a@example.com", Role: "view"}, opts...)
		return err
	},
	"delete": func(ctx context.Context, c *losant.Client, opts ...losant.RequestOption) error {
		return c.InstanceOrgInvite.Delete(ctx, ref, opts...)
	},
}

// filled returns a body of about size bytes: before, unit repeated, after. Each #
// in unit becomes a number.
func filled(size int, before, unit, after string) []byte {
	var b bytes.Buffer
	b.WriteString(before)
	for n := 0; b.Len() < size; n++ {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(unit, "#", strconv.Itoa(n)))
	}
	b.WriteString(after)
	return b.Bytes()
}

// TestDecodingAllocatesAtMost20TimesTheBody: the limit includes the buffer for the
// body. All allocations are counted, which are more than are ever in use.
func TestDecodingAllocatesAtMost20TimesTheBody(t *testing.T) { //nolint:paralleltest // it measures what the process allocates
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	size := 512 << 10
	if testing.Short() {
		size = 64 << 10
	}
	for _, row := range []struct{ before, unit, after string }{
		{`{"items":[`, `{}`, `]}`},
		{`{"items":[`, `null`, `]}`},
		{`{"items":[`, `{"id":"x"}`, `]}`},
		{`{"items":[`, `{"id":"x"}`, `],"count":"x"}`},
		{`{"items":[` + strings.Repeat(`{"id":"x"},`, 100), `{}`, `]}`},
		{`{"items":[` + strings.Repeat(`{"id":"x"},`, 100), `{"x":"yz"}`, `]}`},
		{`{"items":[`, `{"id":"#"}`, `]}`},
		{`{"items":[`, `{"id":"x","_links":{}}`, `]}`},
		{`{"items":[`, `{"id":"x","_links":{"":{"href":""}}}`, `]}`},
		{`{"items":[`, `{"id":"x","role":"x"}`, `]}`},
		{`{"items":[`, `{"id":"x","ttl":"x"}`, `]}`},
		{`{"items":[`, `{"id":"x","ttl":"1.5"}`, `]}`},
		{`{"items":[`, `{"id":"x","ttl":.5}`, `]}`},
		{`{"items":[`, `{"id":"x","ttl":0.5}`, `]}`},
		{`{"items":[`, `{"id":"x","ttl":1e9}`, `]}`},
		{`{"items":[`, `{"id":"x","ttl":1e999}`, `]}`},
		{`{"items":[`, `{"id":"x","inviteDate":"x"}`, `]}`},
		{`{"items":[`, `{"id":"x","inviteDate":"0000-00-00"}`, `]}`},
		{`{"items":[`, `{"id":"x","dashboardRoles":[{"resourceId":""}]}`, `]}`},
		{`{"items":[`, `{"id":"\n"}`, `]}`},
		{`{"items":[],"x":[`, `{}`, `]}`},
		{`{"itemsX":[`, `{}`, `],"items":[]}`},
		{`{"items":[],"x":{`, `"#":{}`, `}}`},
		{`{"items":[],`, `"#":{}`, `}`},
		{`{"items":[],`, `"\n":1`, `}`},
		{`{"items":[],`, `"filter":"\n"`, `}`},
		{`{"items":[],"_links":{`, `"#":{}`, `}}`},
		{`{"items":[],"_links":{`, `"#":""`, `}}`},
		{`[`, `{}`, `]`},
		{`[`, `{"id":"x"}`, `]`},
		{`{"id":"x","applicationRoles":[`, `{}`, `]}`},
		{`{"id":"x","applicationRoles":[`, `{"resourceId":""}`, `]}`},
		{`{"id":"x","dashboardRoles":[`, `{"resourceId":"x","role":"y"}`, `]}`},
		{`{"id":"x","dashboardRoles":[`, `null`, `]}`},
		{`{"id":"x",`, `"dashboardRoles":[{"resourceId":""}]`, `}`},
		{`{"id":"x","_links":{`, `"#":{}`, `}}`},
		{`{"id":"x","_links":{`, `"#":""`, `}}`},
		{`{"id":"x","_links":{`, `"#":{"href":"#"}`, `}}`},
		{`{"id":"x","_links":{"a":[`, `{}`, `]}}`},
		{`{"id":"x",`, `"_links":{}`, `}`},
		{`{"id":"x",`, `"_links":{"":{"href":""}}`, `}`},
		{`{"items":[],`, `"_links":{"":{"href":""}}`, `}`},
		{`{"id":"x",`, `"inviteDate":""`, `}`},
		{`{"id":"x",`, `"#":{}`, `}`},
		{`{"success":true,"x":[`, `{}`, `]}`},
		{`{"success":true,`, `"#":{}`, `}`},
	} {
		body := filled(size, row.before, row.unit, row.after)
		for name, call := range decodes {
			client, _ := fromMemory(t, 200, body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_ = call(t.Context(), client)
			runtime.ReadMemStats(&after)
			factor := float64(after.TotalAlloc-before.TotalAlloc-uint64(len(body))) / float64(len(body)) // fromMemory copies the body
			assert.LessOrEqual(t, factor, 20.0, "%s of %s%s…", name, row.before, row.unit)
			if testing.Verbose() {
				t.Logf("%5.1f %s of %s%s…", factor, name, row.before[:min(40, len(row.before))], row.unit)
			}
		}
	}
}

// TestDecodingAllocatesOnlyTheInvitation: its strings, lists and map, and no more.
func TestDecodingAllocatesOnlyTheInvitation(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	for _, role := range []string{"admin", "edit", "collaborate", "view", "none"} {
		data := []byte(strings.ReplaceAll(fullInviteJSON, `"role":"edit"`, `"role":"`+role+`"`))
		var invite losant.OrgInvite
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = invite.UnmarshalJSON(data) }), 9.0, role)
	}
}

// TestCompressedListTakesLittleMemory: 2 KB of gzip expand to 2 MB of empty items,
// of which the first is refused.
func TestCompressedListTakesLittleMemory(t *testing.T) { //nolint:paralleltest // it measures what the process allocates
	body := filled(2<<20-100, `{"items":[`, `{}`, `]}`)
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	_, _ = zip.Write(body)
	_ = zip.Close()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(compressed.Bytes())
	})
	client := newClient(t, s.URL)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := client.InstanceOrgInvites.Get(t.Context(), invitesRef, losant.InstanceOrgInvitesQuery{})
	runtime.ReadMemStats(&after)
	e := requireError(t, err, "ErrInvalidResponse")
	assert.Contains(t, e.Message, `items[0]: it has no "id"`)
	assert.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(6*len(body)))
}

// TestCancellationStopsDecoding: the error is the cause of the cancellation, and not
// ErrInvalidResponse.
func TestCancellationStopsDecoding(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"list":   filled(256<<10, `{"items":[`, `{"id":"x","email":"a@example.com"}`, `]}`),
		"invite": filled(256<<10, `{"id":"x","applicationRoles":[`, `{"resourceId":"x"}`, `]}`),
		"posted": filled(256<<10, `[`, `{"id":"x"}`, `]`),
	} {
		cause := errors.New("the cause")
		ctx, cancel := context.WithCancelCause(t.Context())
		client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: &cancelling{bytes.NewReader(body), func() { cancel(cause) }}}, nil
		}))
		err := decodes[name](ctx, client)
		if name == "posted" {
			requireError(t, err, "ErrOutcomeUnknown")
		} else {
			requireError(t, err)
		}
		require.ErrorIs(t, err, context.Canceled, name)
		require.ErrorIs(t, err, cause, name)
		assert.ErrorContains(t, err, "decoding the response", name)
	}
}

// cancelling is a body that calls cancel when it is closed.
type cancelling struct {
	io.Reader
	cancel func()
}

func (c *cancelling) Close() error { c.cancel(); return nil }

// TestDeadlineStopsDecoding: soon after the deadline, although much of the list is
// left.
func TestDeadlineStopsDecoding(t *testing.T) {
	t.Parallel()
	body := filled(4<<20, `{"items":[`, `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit","inviteDate":"2026-05-13T04:00:00.000Z"}`, `]}`)
	var deadline time.Time
	ctx := &lateDeadline{Context: t.Context(), deadline: &deadline}
	client := through(t, roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: &cancelling{bytes.NewReader(body), func() { deadline = time.Now().Add(time.Millisecond) }}}, nil
	}))
	err := decodes["list"](ctx, client)
	requireError(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	if !raceEnabled { // the race detector is slow
		assert.Less(t, time.Since(deadline), time.Second)
	}
}

// lateDeadline is a context whose deadline is set later.
type lateDeadline struct {
	context.Context

	deadline *time.Time
}

func (c *lateDeadline) Err() error {
	if !c.deadline.IsZero() && time.Now().After(*c.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
