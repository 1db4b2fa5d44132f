package web

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/web/account"
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
	s.publish(bus.RejectsSubject(community), bus.Reject{
		Received: noon.Add(time.Duration(n) * time.Second), Source: "ingest", Topic: "linli/x", Community: community, Device: "ws-1",
		Code: "json", Reason: "not UTF-8", Raw: []byte{0xff, byte(n)},
	})
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

func TestRejectsNameTheDeviceAndTheFields(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	for community, name := range map[string]string{"north": "北门驿站", "south": "南门驿站"} {
		if err := s.web.Registry.AddCommunity(t.Context(), devices.Community{ID: community, Name: devices.Text{ZH: community}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.web.Registry.AddDevice(t.Context(), devices.Device{ID: community + "-ws", Community: community, Type: "waste_station", Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for device, reason := range map[string]string{
		"north-ws": `reading 0: fill_level_pct left out: "a" is no float; reading 1: nonsense left out: 1`,
		"south-ws": `device "south-ws" is of community "south", not "north"`, // on a topic of the north
		"nobody":   `no device "nobody" is registered`,
	} {
		s.publish(bus.RejectsSubject("north"), bus.Reject{Community: "north", Device: device, Reason: reason})
	}
	desk := s.user(account.User{Name: "desk", Role: account.Duty, Communities: []string{"north"}})
	got := map[string]string{}
	for _, r := range askAs[rejectList](s, desk, "/api/v1/rejects").Rejects {
		got[r.Device] = r.DeviceName + "|" + r.FieldNames["fill_level_pct"].ZH + "|" + strconv.Itoa(len(r.FieldNames))
	}
	if want := map[string]string{"north-ws": "北门驿站|满溢度|1", "south-ws": "||0", "nobody": "||0"}; !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestReplayWaitsForWhoDoesIt(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, func(c *Config) { c.ActionWait = time.Second })
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
	testkit.Eventually(t, 30*time.Second, func() bool {
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

func TestRejectsSayWhyInTheLanguageAskedFor(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		`no device "ws-9" is registered`: `设备“ws-9”未登记`,
		`device "ws-1" is revoked`:       `设备“ws-1”已停用`,
		`reading 0: temp left out: 120 is outside 0 to 100; reading 1: node: "x; y" is no value of this series tag`: `第 1 条读数未存项目 temp：120 超出 0 到 100；第 2 条读数：分路 node 没有值“x; y”`,
		`reading 3: fill_pct left out: "a" is no float`:                                                             `第 4 条读数未存项目 fill_pct：“a”不是数字`,
		`byte 12: nested deeper than 32`:                                                                            `第 12 字节：嵌套超过 32 层`,
		`sos_button has no event "fall"`:                                                                            `类型 sos_button 没有事件“fall”`,
		`topic ends after the community`:                                                                            `主题在社区之后缺少内容`,
		`write: status 400: partial write: field type conflict: input field "x" on measurement "m" is type float, already exists as type string dropped=1`: `时序数据库拒收：项目“x”的类型是数字，此前存的是文字`,
		`of a version that nobody knows`: `of a version that nobody knows`,
	} {
		if got := rejections().reject(reason); got != want {
			t.Errorf("%s:\n got %s\nwant %s", reason, got, want)
		}
	}
	s := run(t, empty{})
	s.reject(1, "tianjin")
	for language, want := range map[string]string{"zh": "不是 UTF-8 文字", "": "not UTF-8"} {
		_, _, body := s.do(s.request("GET", "/api/v1/rejects", "", "Accept-Language", language))
		if !strings.Contains(body, want) {
			t.Errorf("in %q: %s, want %s", language, body, want)
		}
	}
}

// TestEveryRejectCodeHasAWord reads the code: the pages call each kind of reject by a name.
func TestEveryRejectCodeHasAWord(t *testing.T) {
	codes := []string{"line", "unreadable"}
	for _, file := range []string{"../devices/outcome.go", "../ingest/message.go"} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\s+\w+ +(?:devices\.)?Code += "(\w+)"`).FindAllStringSubmatch(string(code), -1) {
			codes = append(codes, m[1])
		}
	}
	texts, err := os.ReadFile("ui/src/texts/zh.ts")
	if err != nil {
		t.Fatal(err)
	}
	known := regexp.MustCompile(`rejectCode: \{([^}]+)\}`).FindStringSubmatch(string(texts))
	if len(codes) < 20 || known == nil {
		t.Fatalf("%d codes, words %v: the test does not see them any more", len(codes), known)
	}
	for _, code := range codes {
		if !strings.Contains(known[1], " "+code+": '") {
			t.Errorf("texts/zh.ts has no word for the reject code %q", code)
		}
	}
}
