package web

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/web/account"
)

const doors = "/api/v1/devices/door-1/commands"

// withDoor is a site with a door, and the cookies of who may and who may not open it.
func withDoor(t *testing.T) (*site, map[account.Role]string) {
	t.Helper()
	s := run(t, empty{})
	s.populate("north")
	if _, err := s.web.Registry.AddDevice(t.Context(), devices.Device{ID: "door-1", Community: "north", Type: "access_controller"}); err != nil {
		t.Fatal(err)
	}
	return s, s.members()
}

// tell stores a later state of a command, as ingest does.
func (s *site) tell(c bus.Command, state bus.CommandState, reason string) {
	s.Helper()
	c.State, c.Reason, c.At = state, reason, time.Now().UTC()
	s.publish(bus.CommandsSubject(c.Community, c.Type, c.Device), c)
}

func TestACommandIsKeptAndShownWithItsStates(t *testing.T) {
	t.Parallel()
	s, _ := withDoor(t)
	live := s.listen("")
	s.next(live) // snapshot
	c := ask[commandView](s, 202, "POST", doors, `{"command":"unlock","params":{"seconds":5,"reason":"急救"}}`, "Idempotency-Key", "k1")
	if c.State != bus.CommandQueued || c.By != "admin" || c.Device != "door-1" || c.Expires.Sub(c.Asked) != time.Minute || len(c.History) != 1 {
		t.Errorf("asked for: %+v", c)
	}
	again := ask[commandView](s, 202, "POST", doors, `{"command":"unlock","params":{"seconds":5,"reason":"急救"}}`, "Idempotency-Key", "k1")
	if again.ID != c.ID || !again.Expires.Equal(c.Expires) {
		t.Errorf("with the same key: %+v", again)
	}
	s.refused(409, "Idempotency-Key", "POST", doors, `{"command":"unlock","params":{"seconds":9,"reason":"急救"}}`, "Idempotency-Key", "k1")
	s.tell(c.Command, bus.CommandSent, "")
	s.tell(c.Command, bus.CommandFailed, "门锁卡住")
	s.tell(c.Command, bus.CommandSent, "") // of a sender that was slow: changes nothing
	for _, want := range []bus.CommandState{bus.CommandQueued, bus.CommandSent, bus.CommandFailed} {
		var got bus.Command
		e := s.next(live)
		if err := json.Unmarshal([]byte(e.data), &got); err != nil || e.name != "command" || e.id != "" || got.ID != c.ID || got.State != want {
			t.Errorf("the stream says %s, want the state %s", e, want)
		}
	}
	shown := ask[commandList](s, 200, "GET", doors, "").Commands
	if len(shown) != 1 || shown[0].State != bus.CommandFailed || shown[0].Reason != "门锁卡住" || len(shown[0].History) != 3 {
		t.Errorf("the list shows %+v", shown)
	}
	if late := ask[commandView](s, 202, "POST", doors, `{"command":"unlock","params":{"seconds":5,"reason":"急救"}}`, "Idempotency-Key", "k1"); late.State != bus.CommandFailed {
		t.Errorf("the same again later: %+v, want the command as it is", late)
	}
}

func TestCommandsAreCheckedBeforeTheyAreKept(t *testing.T) {
	t.Parallel()
	s, cookies := withDoor(t)
	for _, tt := range []struct {
		status            int
		field, body, what string
	}{
		{422, "command", `{"command":"explode"}`, "no such command"},
		{422, "command", `{}`, "none"},
		{422, "seconds", `{"command":"unlock","params":{"reason":"x"}}`, "a parameter is missing"},
		{422, "seconds", `{"command":"unlock","params":{"seconds":61,"reason":"x"}}`, "out of range"},
		{422, "reason", `{"command":"unlock","params":{"seconds":5,"reason":7}}`, "of another type"},
		{422, "minutes", `{"command":"unlock","params":{"seconds":5,"reason":"x","minutes":1}}`, "unknown"},
		{422, "ttl_s", `{"command":"lockdown","ttl_s":301}`, "kept for too long"},
		{422, "ttl_s", `{"command":"lockdown","ttl_s":-1}`, "kept for no time"},
		{400, "body", `{"command":"lockdown","ttl":1}`, "unknown key"},
	} {
		s.refused(tt.status, tt.field, "POST", doors, tt.body)
	}
	post := func(role account.Role, body string) int {
		r := s.request("POST", doors, body, "Cookie", cookies[role])
		r.Header.Del("Authorization")
		status, _, _ := s.do(r)
		return status
	}
	const unlock = `{"command":"unlock","params":{"seconds":5,"reason":"x"}}`
	for role, want := range map[account.Role]int{account.Manager: 202, account.Duty: 202, account.Auditor: 403, account.Family: 403, account.Caretaker: 403} {
		if got := post(role, unlock); got != want {
			t.Errorf("%s unlocks: %d, want %d", role, got, want)
		}
	}
	if got := post(account.Duty, `{"command":"reboot"}`); got != http.StatusForbidden {
		t.Errorf("duty reboots: %d", got)
	}
	if got := post(account.Manager, `{"command":"reboot"}`); got != http.StatusAccepted {
		t.Errorf("a manager reboots: %d", got)
	}
	if n := len(ask[commandList](s, 200, "GET", doors, "").Commands); n != 3 {
		t.Errorf("%d commands are kept, want 3", n)
	}
	testkit.Eventually(t, 30*time.Second, func() bool {
		for _, e := range ask[auditList](s, 200, "GET", "/api/v1/audit?community=north", "").Entries {
			if e.Target == "door-1" && e.Note == "reboot" && e.By == "manager-1" && e.Status == 202 {
				return true
			}
		}
		return false
	})
	if err := s.web.Registry.Revoke(t.Context(), "door-1"); err != nil {
		t.Fatal(err)
	}
	s.refused(409, "", "POST", doors, unlock)
}

// However many ask at the same time, no more than a few commands wait for one device, and one key is one command.
func TestCommandsOfOneDeviceAreFew(t *testing.T) {
	t.Parallel()
	s, _ := withDoor(t)
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			r := s.request("POST", doors, `{"command":"lockdown"}`, "Idempotency-Key", string(rune('a'+n%2)))
			if status, _, text := s.do(r); status != 202 && status != 503 {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	wait.Wait()
	if n := len(ask[commandList](s, 200, "GET", doors, "").Commands); n > 2 {
		t.Errorf("two keys are %d commands", n)
	}
	for n := len(ask[commandList](s, 200, "GET", doors, "").Commands); n < bus.MaxOpenCommands; n++ {
		ask[commandView](s, 202, "POST", doors, `{"command":"lockdown"}`)
	}
	s.refused(429, "", "POST", doors, `{"command":"lockdown"}`)
}
