//go:build !race

package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linli/web/account"
)

func TestEventsOfACommunityByKind(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x, func(c *Config) { c.Now = func() time.Time { return noon.Add(time.Hour) } })
	var lines strings.Builder
	add := func(community, device, kind, event string, ns int, fields string) {
		at := noon.UnixNano() + int64(ns)
		fmt.Fprintf(&lines, "event,community=%s,device=%s,type=%s,event=%s received_at=1i,time_source=\"device\"%s %d\n", community, device, kind, event, fields, at)
	}
	const ms = int(time.Millisecond)
	for n := range 5 {
		add("tianjin", "ws-1", "waste_station", "delivery", n/2*ms+n, `,waste_kind="kitchen",net_weight_kg=1.5`)
	}
	add("tianjin", "ws-1", "waste_station", "emptied", 7*ms, "")
	add("tianjin", "gate-1", "lpr_camera", "plate_read", 8*ms, `,plate_hash="k1:93af",plate_masked="津A***88"`)
	add("south", "ws-9", "waste_station", "delivery", 9*ms, "")
	add("tianjin", "ws-1", "waste_station", "delivery", -8*24*int(time.Hour), "")
	if err := x.Write(t.Context(), []byte(lines.String())); err != nil {
		t.Fatal(err)
	}
	const path = "/api/v1/events?community=tianjin&kinds=waste_station.delivery,lpr_camera.plate_read"
	all := ask[happeningList](s, 200, "GET", path, "")
	if len(all.Events) != 6 || all.Next != "" || all.Events[0].Event != "plate_read" || all.Events[1].Fields["waste_kind"] != "kitchen" {
		t.Fatalf("%+v", all)
	}
	if f := all.Events[0].Fields; f["plate_hash"] != "k1:93af" || len(f) != 1 {
		t.Errorf("of a plate: %v, want its hash alone", f)
	}
	seen := 0
	for query := path + "&limit=3"; query != "" && seen <= 10; {
		page := ask[happeningList](s, 200, "GET", query, "")
		seen += len(page.Events)
		if query = ""; page.Next != "" {
			query = path + "&limit=3&from=" + noon.AddDate(0, 0, -7).Format(time.RFC3339) + "&to=" + page.Next
		}
	}
	if seen != 6 {
		t.Errorf("%d events on pages, want 6: two of a millisecond stay together", seen)
	}
	if got := ask[happeningList](s, 200, "GET", "/api/v1/events?kinds=waste_station.delivery", ""); len(got.Events) != 6 {
		t.Errorf("%d deliveries in all communities, want 6", len(got.Events))
	}
	guard := s.user(account.User{Name: "guard", Role: account.Duty, Communities: []string{"south"}})
	for path, want := range map[string]int{"/api/v1/events?kinds=waste_station.delivery": 1, path: 0} {
		r := s.request("GET", path, "", "Cookie", guard)
		r.Header.Del("Authorization")
		if _, _, body := s.do(r); strings.Count(body, `"device"`) != want {
			t.Errorf("who reaches the south sees of %s: %s", path, body)
		}
	}
	for query, field := range map[string]string{
		"kinds=": "kinds", "kinds=waste_station": "kinds", "kinds=waste_station.party": "kinds", "kinds=waste_station.delivery&from=1": "from",
		"kinds=waste_station.delivery&limit=1001": "limit", "kinds=" + strings.Repeat("waste_station.delivery,", 20) + "waste_station.emptied": "kinds",
	} {
		s.refused(400, field, "GET", "/api/v1/events?"+query, "")
	}
}
