package losant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	losant "github.com/losant-community/losant-rest-go"
)

// handWritten is what a careful engineer writes with net/http for the same
// calls: one shared client with a timeout, escaped ids, a bounded response, the
// status checked, the body closed, and types of its own. It uses no type of the
// library that has methods for JSON, since these cost time of their own.
type handWritten struct {
	client *http.Client
	base   string
	token  string
}

type handInvite struct {
	ID               string              `json:"id"`
	Email            string              `json:"email"`
	Role             string              `json:"role"`
	ApplicationRoles []handGrant         `json:"applicationRoles"`
	DashboardRoles   []handGrant         `json:"dashboardRoles"`
	InviteDate       time.Time           `json:"inviteDate"`
	TTL              int64               `json:"ttl"` // milliseconds
	HasExpired       bool                `json:"hasExpired"`
	DisallowTransfer bool                `json:"disallowTransfer"`
	Links            map[string]handLink `json:"_links"`
}

type handGrant struct {
	ResourceID string `json:"resourceId"`
	Role       string `json:"role"`
}

type handLink struct {
	Href string `json:"href"`
}

type handRoles struct {
	Role             string      `json:"role,omitempty"`
	ApplicationRoles []handGrant `json:"applicationRoles,omitempty"`
	DashboardRoles   []handGrant `json:"dashboardRoles,omitempty"`
}

func (h *handWritten) do(ctx context.Context, method string, ref losant.InstanceOrgInviteRef, body any) (*handInvite, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(data)
	}
	target := h.base + "/instances/" + url.PathEscape(ref.InstanceID) + "/orgs/" + url.PathEscape(ref.OrgID) + "/invites/" + url.PathEscape(ref.InviteID) +
		"?_actions=false&_embedded=true&_links=true"
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Version", "^1.30.0")
	req.Header.Set("Authorization", "Bearer "+h.token)
	req.Header.Set("User-Agent", "by-hand/1.0")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("%s: %s", resp.Status, data)
	}
	invite := new(handInvite)
	if err := json.Unmarshal(data, invite); err != nil {
		return nil, err
	}
	if invite.ID == "" {
		return nil, errors.New("no id")
	}
	return invite, nil
}

const fullInviteJSON = `{"id":"64b0f5d29c3a7e0012ab34cd","email":"new.member@example.com","role":"edit","applicationRoles":[{"resourceId":"575ec8687ae143cd83dc4a97","role":"view"}],` +
	`"dashboardRoles":[{"resourceId":"64b0f5d29c3a7e0012ab3402","role":"none"}],"inviteDate":"2026-05-13T04:00:00.000Z","ttl":4233600000,"hasExpired":true,"disallowTransfer":false,` +
	`"_type":"orgInvite","_links":{"self":{"href":"/instances/575ec8687ae143cd83dc4a95/orgs/575ec8687ae143cd83dc4a97/invites/64b0f5d29c3a7e0012ab34cd"}}}`

func serveInvite(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = io.WriteString(w, fullInviteJSON)
}

// BenchmarkCall compares the library ("sdk") with net/http by hand ("hand"), in
// one process, against the same server. ns-cpu/op is the processor time of the
// whole process, the server included, which is the same for both.
func BenchmarkCall(b *testing.B) {
	for _, secure := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(serveInvite))
		protocol := "plain"
		if secure {
			protocol = "tls-h2"
			server.EnableHTTP2 = true
			server.StartTLS()
		} else {
			server.Start()
		}
		b.Cleanup(server.Close)
		newTransport := func() *http.Transport {
			transport := &http.Transport{MaxIdleConnsPerHost: 128, ForceAttemptHTTP2: secure}
			if secure {
				transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			}
			b.Cleanup(transport.CloseIdleConnections)
			return transport
		}
		hand := &handWritten{client: &http.Client{Timeout: 30 * time.Second, Transport: newTransport()}, base: server.URL, token: canary}
		client, err := losant.NewClient(canary, losant.WithBaseURL(server.URL), losant.WithHTTPClient(&http.Client{Transport: newTransport()}))
		require.NoError(b, err)
		for _, call := range []struct {
			name      string
			hand, sdk func(context.Context) error
		}{
			{
				"Get",
				func(ctx context.Context) error { return errorOf(hand.do(ctx, http.MethodGet, ref, nil)) },
				func(ctx context.Context) error { return errorOf(client.InstanceOrgInvite.Get(ctx, ref)) },
			},
			{
				"ResendInvite",
				func(ctx context.Context) error {
					return errorOf(hand.do(ctx, http.MethodPost, ref, handRoles{Role: "view"}))
				},
				func(ctx context.Context) error {
					return errorOf(client.InstanceOrgInvite.ResendInvite(ctx, ref, losant.OrgRoleInfo{Role: losant.OrgRoleView}))
				},
			},
		} {
			for _, goroutines := range []int{1, 64} {
				for _, by := range []struct {
					name string
					call func(context.Context) error
				}{{"hand", call.hand}, {"sdk", call.sdk}} {
					b.Run(call.name+"/"+protocol+"/goroutines="+strconv.Itoa(goroutines)+"/by="+by.name, func(b *testing.B) {
						benchmark(b, goroutines, by.call)
					})
				}
			}
		}
	}
}

func errorOf[T any](_ *T, err error) error { return err }

func benchmark(b *testing.B, goroutines int, call func(context.Context) error) {
	b.Helper()
	ctx := b.Context()
	run := func(n int64) {
		var group sync.WaitGroup
		var left atomic.Int64
		left.Store(n)
		for range goroutines {
			group.Go(func() {
				for left.Add(-1) >= 0 {
					if err := call(ctx); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
	}
	run(int64(4 * goroutines)) // opens the connections
	b.ReportAllocs()
	b.ResetTimer()
	before, measured := processorTime()
	run(int64(b.N))
	if after, _ := processorTime(); measured {
		b.ReportMetric(float64(after-before)/float64(b.N), "ns-cpu/op")
	}
}
