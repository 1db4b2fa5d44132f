package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
)

func (l rejectList) ids() string {
	var ids []string
	for _, r := range l.Rejects {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

func (s *site) reject(n int, community string) {
	s.Helper()
	data, err := json.Marshal(bus.Reject{
		Received: noon.Add(time.Duration(n) * time.Second), Source: "ingest", Topic: "linli/x", Community: community, Device: "ws-1",
		Code: "json", Reason: "not JSON", Raw: []byte{0xff, byte(n)},
	})
	if err != nil {
		s.Fatal(err)
	}
	if _, _, err := s.bus.Publish(s.Context(), bus.RejectsSubject(community), "", data); err != nil {
		s.Fatal(err)
	}
}

func TestRejectList(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	if _, _, body := s.do(s.request("GET", "/api/v1/rejects", "")); body != "{\"rejects\":[]}\n" {
		t.Errorf("no rejects: %s", body)
	}
	for n := 1; n <= 40; n++ {
		community := "tianjin"
		if n == 3 || n == 30 {
			community = "nantong"
		}
		s.reject(n, community)
	}
	for query, want := range map[string]string{
		"?limit=3": "40 39 38", "?limit=2&before=31": "30 29", "?community=nantong": "30 3", "?community=nantong&limit=1": "30",
		"?community=nantong&before=30": "3", "?before=1": "", "?community=nowhere": "", "?before=3": "2 1",
	} {
		if got := ask[rejectList](s, 200, "GET", "/api/v1/rejects"+query, ""); got.ids() != want {
			t.Errorf("%s: %q, want %q", query, got.ids(), want)
		}
	}
	all := ask[rejectList](s, 200, "GET", "/api/v1/rejects", "")
	if len(all.Rejects) != 40 || all.Next != "" {
		t.Fatalf("%d rejects, next %q", len(all.Rejects), all.Next)
	}
	if _, _, body := s.do(s.request("GET", "/api/v1/rejects?limit=1", "")); !strings.Contains(body, `"raw_base64":"/yg="`) || !strings.Contains(body, `"next":"40"`) {
		t.Errorf("one: %s", body)
	}
	s.refused(http.StatusBadRequest, "community", "GET", "/api/v1/rejects?community=%3E", "")
	s.refused(http.StatusBadRequest, "before", "GET", "/api/v1/rejects?before=x", "")
}

func TestReplayWaitsForWhoDoesIt(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, func(c *Config) { c.ActionWait = 20 * time.Millisecond })
	s.reject(1, "tianjin")
	s.refused(http.StatusNotFound, "", "POST", "/api/v1/rejects/2/replay", "")
	s.refused(http.StatusNotFound, "", "POST", "/api/v1/rejects/x/replay", "")
	if got := ask[replayed](s, 202, "POST", "/api/v1/rejects/1/replay", ""); got.State != "queued" || got.ID != "1" {
		t.Errorf("with nobody to do it: %+v", got)
	}
}

func TestReplayOfAReject(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, func(c *Config) { c.ActionWait = time.Minute })
	s.reject(1, "tianjin")
	if _, err := s.web.settings.PutString(t.Context(), bus.ReplayKey("1"), "before anybody does it"); err != nil {
		t.Fatal(err)
	}
	background(t, func(ctx context.Context) error {
		return s.bus.FollowReplays(ctx, bus.SourceIngest, testkit.Log, func(context.Context, bus.Reject) error { return nil })
	})
	testkit.Eventually(t, 10*time.Second, func() bool {
		return len(ask[rejectList](s, 200, "GET", "/api/v1/rejects", "").Rejects) == 0
	})
	s.reject(2, "tianjin")
	if got := ask[replayed](s, 200, "POST", "/api/v1/rejects/2/replay", ""); got.State != "replayed" {
		t.Errorf("got %+v", got)
	}
}

func TestRebuild(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/rebuild", "")
	type request struct{ ID string }
	first := ask[request](s, 202, "POST", "/api/v1/rebuild", "")
	if second := ask[request](s, 202, "POST", "/api/v1/rebuild", ""); first.ID == "" || second != first {
		t.Errorf("while one runs: %v and %v", first, second)
	}
	if _, err := s.web.settings.Put(t.Context(), bus.RebuildStatusKey, fmt.Appendf(nil, `{"id":%q,"done":true}`, first.ID)); err != nil {
		t.Fatal(err)
	}
	if got := ask[request](s, 200, "GET", "/api/v1/rebuild", ""); got != first {
		t.Errorf("status of %v, want %v", got, first)
	}
}
