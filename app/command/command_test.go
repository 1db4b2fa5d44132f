package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/app/command"
	"linli/bus"
	"linli/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestDeviceIsAddedAndMayConnectAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	out := s.run("devices add --community tianjin --type wearable_band --id wb-1 --json")
	got := decode[credentials](t, out)
	if diff := cmp.Diff(credentials{"wb-1", "wb-1", got.Secret, "linli/telemetry/tianjin/wearable_band/wb-1"}, got); diff != "" || strings.Count(out, "\n") != 1 {
		t.Errorf("%s(-want +got):\n%s", out, diff)
	}
	if !s.registry.Verify(s.registry.Device("wb-1"), got.Secret) {
		t.Error("the server does not accept the secret")
	}
	if again := decode[credentials](t, s.run("devices add --community tianjin --type wearable_band --id wb-1 --json")); again.Secret != "" {
		t.Errorf("the same again: %+v", again)
	}
	if out := s.run("devices add --community tianjin --type wearable_band --id wb-1"); !strings.Contains(out, "devices rotate") {
		t.Errorf("the same again: %s", out)
	}
	s.fails("devices add --community tianjin --type sos_button --id wb-1", "exists already with another type")
	s.fails("devices add --community nowhere --type wearable_band --id wb-2", `community "nowhere"`)
	s.fails("devices add --community tianjin --id wb-2", "--type is missing")
	s.fails("devices add extra --community tianjin --type wearable_band --id wb-2", `"extra"`)
	if out := s.run("communities list"); !strings.Contains(out, "tianjin  第四社区") {
		t.Errorf("communities: %s", out)
	}
}

func TestAGroupListsItsCommands(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, line := range []string{"alerts", "alerts -h"} {
		if _, help, err := s.try(line); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help, "alerts acknowledge ID") || strings.Contains(help, "devices") {
			t.Errorf("linli %s: %v\n%s", line, err, help)
		}
	}
	s.fails("alerts cook", `no command "alerts cook"`)
	s.fails("cook", `no command "cook"`)
}

func TestOrders(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	s.run("devices add --community tianjin --type access_controller --id door-1")
	type order struct{ ID, Command, State, By string }
	got := decode[order](t, s.run("devices command door-1 unlock seconds=5 reason=急救 --wait=false --key k1 --json"))
	if got.Command != "unlock" || got.State != "queued" || got.By != "admin" {
		t.Errorf("asked for: %+v", got)
	}
	if again := decode[order](t, s.run("devices command door-1 unlock seconds=5 reason=急救 --wait=false --key k1 --json")); again.ID != got.ID {
		t.Errorf("the same key again: %+v", again)
	}
	s.fails("devices command door-1 unlock seconds=99 reason=x", "seconds: 99 is not between 1 and 60 s")
	s.fails("devices command door-1 unlock seconds=5 reason=5", "reason: want a text")
	s.fails("devices command door-1 unlock seconds", "NAME=VALUE")
	s.fails("devices command door-1", "COMMAND is missing")
	c := bus.Command{ID: got.ID, Community: "tianjin", Type: "access_controller", Device: "door-1", State: bus.CommandFailed, Reason: "jammed"}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.bus.Publish(t.Context(), bus.CommandsSubject(c.Community, c.Type, c.Device), c.MessageID(), data); err != nil {
		t.Fatal(err)
	}
	s.fails("devices command door-1 unlock seconds=5 reason=急救 --key k1", "the command failed: jammed")
	if out := s.run("devices commands door-1"); !strings.Contains(out, "unlock") || !strings.Contains(out, "jammed") {
		t.Errorf("list:\n%s", out)
	}
}

func TestDeviceCommands(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区 --name-en Fourth")
	first := decode[credentials](t, s.run("devices add --json --community tianjin --type water_meter --id wm-1 --tag care=lives_alone --zone roof"))
	rotated := decode[credentials](t, s.run("devices rotate wm-1 --json"))
	if rotated.Secret == first.Secret || !s.registry.Verify(s.registry.Device("wm-1"), rotated.Secret) {
		t.Errorf("rotate: %+v", rotated)
	}
	if d := s.registry.Device("wm-1"); d.Tags["care"] != "lives_alone" || d.Place.Zone != "roof" {
		t.Errorf("registered: %+v", d)
	}
	s.run("devices replace wm-1 wm-2")
	if out := s.run("devices revoke wm-2"); out != "device wm-2 is revoked\n" {
		t.Errorf("revoke: %q", out)
	}
	out := s.run("devices list --type water_meter")
	if !strings.Contains(out, "wm-1  tianjin    water_meter  replaced  roof") || !strings.Contains(out, "wm-2  tianjin    water_meter  revoked") {
		t.Errorf("list:\n%s", out)
	}
	list := decode[struct{ Devices []struct{ ID string } }](t, s.run("devices list --json --state replaced"))
	if len(list.Devices) != 1 || list.Devices[0].ID != "wm-1" {
		t.Errorf("list: %+v", list)
	}
	s.fails("devices rotate", "ID is missing")
	s.fails("devices rotate none", "does not exist")
}

func TestDeviceImportNamesTheBadRows(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	bad := s.file("bad.csv", "id,community,type\nwb-1,tianjin,wearable_band\nwb-2,nowhere,wearable_band\n")
	out, errOut, err := s.try("devices import --dry-run " + bad)
	if err == nil || out != "" || !strings.Contains(errOut, bad+`:3: community "nowhere" is not registered`) {
		t.Errorf("%v\n%s\n%s", err, out, errOut)
	}
	good := s.file("good.csv", "id,community,type\nwb-1,tianjin,wearable_band\nwb-2,tianjin,wearable_band\n")
	if out := s.run("devices import " + good); strings.Count(out, "\n") != 3 || !strings.HasPrefix(out, "id,username,secret,topic\nwb-1,wb-1,") {
		t.Errorf("secrets:\n%s", out)
	}
	if out, errOut, err := s.try("devices import " + good); err != nil || out != "" || !strings.Contains(errOut, "2 unchanged") {
		t.Errorf("again: %v\n%s\n%s", err, out, errOut)
	}
	s.fails("devices import "+filepath.Join(t.TempDir(), "none.csv"), "none.csv")
}

func TestCommunities(t *testing.T) {
	s := serve(t)
	const file = "communities:\n- id: garden\n  name: {zh: 花园, en: Garden}\n  estates:\n  - {id: e1, name: {zh: 一区, en: '1'}, buildings: [{id: b1, units: [u1]}]}\n" +
		"  plan: {width_m: 100, height_m: 50, shapes: [{kind: place, estate: e1, points: [[0, 0], [50, 50]]}]}\n"
	s.run("communities import " + s.file("garden.yaml", file))
	exported := s.run("communities export")
	s.run("communities import " + s.file("again.yaml", exported))
	if again := s.run("communities export"); again != exported || !strings.Contains(exported, "width_m: 100") {
		t.Errorf("exported:\n%s\nafter its import:\n%s", exported, again)
	}
	bad := s.file("bad.yaml", strings.Replace(file, "[50, 50]", "[50, 51]", 1))
	s.fails("communities import "+bad, bad+": community garden: ")
	s.fails("communities import "+s.file("none.yaml", "communities:\n- {name: x}\n"), "community 1 has no id")
}

func TestPeopleGoOutAsTheyCameIn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	const file = "people:\n    - id: p-1\n      community: tianjin\n      name: 王芳\n      roles:\n        - property_duty\n    - id: p-2\n      community: tianjin\n" +
		"      name: 李伟\n      circle:\n        - person: p-1\n          relation: daughter\n          consent:\n            - scope: events\n              since: 2026-01-01T00:00:00Z\n"
	const rota = "rotas:\n    - id: desk\n      community: tianjin\n      role: property_duty\n      layers:\n        - people:\n            - p-1\n          turn: weekly\n          since: \"2026-01-05\"\n"
	path := s.file("people.yaml", file)
	if out := s.run("people import --dry-run " + path); out != "person  p-1  new\nperson  p-2  new\n" {
		t.Errorf("dry run: %s", out)
	}
	s.run("people import " + path)
	s.run("rota import " + s.file("rota.yaml", rota))
	if out, errOut, err := s.try("people import " + path); err != nil || out != "" || errOut != "0 changed, 2 unchanged, 0 mistakes\n" {
		t.Errorf("again: %v, %q, %q", err, out, errOut)
	}
	if diff := cmp.Diff(file, s.run("people export --community tianjin")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rota, s.run("rota export")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out := s.run("rota list"); !strings.Contains(out, "desk  tianjin    property_duty  p-1") {
		t.Errorf("rotas: %s", out)
	}
	s.fails("people import "+s.file("bad.yaml", "people:\n- {id: p-3, nmae: x}\n"), "bad.yaml:2: field nmae")
	s.fails("people import "+s.file("bad.yaml", "people:\n- {id: p-3, community: nowhere, name: x}\n"), `bad.yaml:2: person "p-3": community "nowhere" is not registered`)
}

// The people of the README are taken as they stand there.
func TestPeopleOfTheReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "<!-- people -->\n```yaml\n")
	file, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("README.md has no block behind <!-- people -->")
	}
	s := serve(t)
	s.run("communities add --id garden --name 花园小区")
	s.run("people import " + s.file("garden.yaml", file))
	s.run("devices add --community garden --type sos_button --id sos-1 --person ma")
	if out := s.run("people check"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "ma   one_kind") {
		t.Errorf("problems: %s", out)
	}
	on := s.people.Rota("desk").OnDuty(time.Date(2026, 2, 16, 4, 0, 0, 0, time.UTC), time.FixedZone("", 8*3600))
	if !slices.Equal(on, []string{"du"}) { // chen's week, but for that day
		t.Errorf("on duty on the eve of the new year: %v", on)
	}
}

func TestAwayMode(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	s.run("people import " + s.file("people.yaml", "people: [{id: p-1, community: tianjin, name: 王芳, away: true}]"))
	if p := s.people.Person("p-1"); !p.Away(time.Now()) {
		t.Errorf("imported as away: %+v", p)
	}
	if out := s.run("people away p-1 --until 2099-02-01"); !strings.HasPrefix(out, "p-1 is away until 2099-02-01T00:00:00") {
		t.Error(out)
	}
	if out := s.run("people away p-1 --end"); out != "p-1 is not away\n" {
		t.Error(out)
	}
	if out := s.run("people away p-1"); out != "p-1 is away\n" {
		t.Error(out)
	}
	s.fails("people away p-1 --until tomorrow", `"tomorrow" is not a date`)
	s.fails("people away p-2", `person "p-2": not registered`)
	s.run("devices add --community tianjin --type sos_button --id sos-1 --person p-1")
	if out := s.run("people check"); !strings.Contains(out, "p-1  few_contacts") {
		t.Error(out)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	s := serve(t)
	data, err := json.Marshal(bus.Reject{Source: bus.SourceIngest, Topic: "linli/x", Device: "ws-1", Reason: "not JSON", Received: time.Now(), Raw: []byte{0xff}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.bus.Publish(t.Context(), bus.RejectsSubject("tianjin"), "", data); err != nil {
		t.Fatal(err)
	}
	if out := s.run("rejects list"); !strings.Contains(out, `"linli/x"  not JSON`) {
		t.Errorf("list:\n%s", out)
	}
	if out := s.run("rejects list --json"); !strings.Contains(out, `"raw_base64":"/w=="`) {
		t.Errorf("list: %s", out)
	}
	if out := s.run("rejects list --community nantong --json"); out != "{\"rejects\":[]}\n" {
		t.Errorf("list: %s", out)
	}
	background(t, func(ctx context.Context) error {
		return s.bus.FollowReplays(ctx, bus.SourceIngest, testkit.Log, func(context.Context, bus.Reject) error { return nil })
	})
	if out := s.run("rejects replay 1"); out != "reject 1 is replayed\n" {
		t.Errorf("replay: %q", out)
	}
	s.fails("rejects replay 1 x", `"x" does not exist`)
}

func TestReadingsImport(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	s.run("devices add --community tianjin --type waste_station --id ws-1")
	const line = "waste_station,community=tianjin,device=ws-1 fill_level_pct=1 1772366400000000000\n"
	if out := s.run("readings import " + s.file("good", line)); out != "1 lines stored\n" || s.series.String() != line {
		t.Errorf("%q, stored %q", out, s.series.String())
	}
	s.fails("readings import "+s.file("bad", line+"nonsense\n"), "line 2")
}

func TestRebuildWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	s := serve(t)
	settings, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	background(t, func(ctx context.Context) error { // package store
		w, err := settings.Watch(ctx, "rebuild")
		if err != nil {
			return err
		}
		defer w.Stop()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case e := <-w.Updates():
				if e == nil {
					continue
				}
				if _, err := settings.PutString(ctx, "rebuild_status", `{"id":"`+string(e.Value())+`","state":"done","messages":7,"bytes":9}`); err != nil {
					return err
				}
			}
		}
	})
	if out := s.run("rebuild"); !strings.HasSuffix(out, "is done: 7 messages, 9 bytes\n") {
		t.Errorf("got %q", out)
	}
}

func TestTokenAndServerAreNamedWhenTheyAreWrong(t *testing.T) {
	t.Parallel()
	s := serve(t)
	dir := t.TempDir()
	delete(s.env, "LINLI_TOKEN")
	s.fails("devices list --data "+dir, "LINLI_TOKEN")
	if err := os.WriteFile(filepath.Join(dir, "admin.token"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("devices list --data " + dir)
	s.env["LINLI_DATA"] = dir
	s.run("devices list")
	s.env["LINLI_TOKEN"] = "wrong"
	s.fails("devices list", "does not accept the token")
	s.fails("devices list --server 127.0.0.1:8080", "--server")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s.fails("devices list --server http://"+l.Addr().String(), "is linli serve running")
}

func TestTokenIsNotCarriedToAnotherServer(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	from := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer from.Close()
	s := &server{T: t, env: map[string]string{"LINLI_SERVER": from.URL, "LINLI_TOKEN": token}}
	s.fails("devices list", "307")
	if _, errOut, err := s.try("devices list"); strings.Contains(errOut+err.Error(), token) {
		t.Errorf("the token is in %v %s", err, errOut)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	s := &server{T: t, env: map[string]string{"LINLI_TOKEN": token}}
	for _, line := range []string{"", "devices explode", "devices list --colour red", "devices list --limit", "rejects list --limit x"} {
		var misused *command.UsageError
		if _, _, err := s.try(line); !errors.As(err, &misused) {
			t.Errorf("linli %s: %v, want a usage error", line, err)
		}
	}
	s.env["LINLI_LIMIT"] = "x"
	s.fails("rejects list", "LINLI_LIMIT")
	_, errOut, err := s.try("devices add -h")
	if !errors.Is(err, flag.ErrHelp) || !strings.Contains(errOut, "-community id") {
		t.Errorf("help: %v\n%s", err, errOut)
	}
	var b bytes.Buffer
	command.Help(&b)
	if !strings.Contains(b.String(), "devices replace OLD NEW") {
		t.Errorf("help:\n%s", b.String())
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	s := serve(t)
	type issued struct{ User, Password string }
	got := decode[issued](t, s.run("users add --name wang --role duty --communities tianjin,nantong --json"))
	if got.User != "wang" || len(got.Password) < 16 {
		t.Errorf("add: %+v", got)
	}
	s.fails("users add --name wang --role admin", "exists already")
	s.fails("users add --name li --role family", "elders")
	s.fails("users add --name li", "--role is missing")
	if again := decode[issued](t, s.run("users reset-password wang --json")); again.Password == got.Password || again.Password == "" {
		t.Errorf("reset: %+v", again)
	}
	s.run("users disable wang")
	if out := s.run("users list"); !strings.Contains(out, "wang   duty   tianjin,nantong          disabled") {
		t.Errorf("list:\n%s", out)
	}
	s.fails("users disable nobody", `"nobody" does not exist`)
	s.fails("users disable admin", "no admin")
}
