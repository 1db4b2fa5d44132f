package ingest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"linli/bus"
	"linli/devices"
	"linli/ingest"
	"linli/internal/testkit"
)

// ask stores the request for a command of em-1.
func (s *site) ask(t testing.TB, id string, now time.Time, life time.Duration) {
	t.Helper()
	c := bus.Command{
		ID: id, Name: "valve_close", Params: map[string]any{"reason": "漏水"}, Community: "north", Type: "meter", Device: "em-1", By: "wang",
		Asked: now, Expires: now.Add(life), State: bus.CommandQueued, At: now,
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.bus.Publish(t.Context(), bus.CommandsSubject(c.Community, c.Type, c.Device), c.MessageID(), data); err != nil {
		t.Fatal(err)
	}
}

// reached waits until a command has come to a state, and returns all its states.
func (s *site) reached(t testing.TB, id string, state bus.CommandState) (all []bus.CommandState) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() bool {
		all = nil
		for _, data := range s.stored(t, bus.Commands)["commands.north.meter.em-1"] {
			var c bus.Command
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				t.Fatal(err)
			}
			if c.ID == id {
				all = append(all, c.State)
			}
		}
		return slices.Contains(all, state)
	})
	return all
}

// listen subscribes em-1 to its commands.
func (s *site) listen(t testing.TB) (mqtt.Client, <-chan mqtt.Message) {
	t.Helper()
	c, got := s.device(t, "em-1"), make(chan mqtt.Message, 100)
	if token := c.Subscribe("linli/command/+/+/em-1/+", 1, func(_ mqtt.Client, m mqtt.Message) { got <- m }); !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	return c, got
}

func next(t testing.TB, got <-chan mqtt.Message) (payload map[string]any) {
	t.Helper()
	select {
	case m := <-got:
		if err := json.Unmarshal(m.Payload(), &payload); err != nil {
			t.Fatal(err)
		}
		payload["topic"] = m.Topic()
		return payload
	case <-time.After(20 * time.Second):
		t.Fatal("no command came")
		return nil
	}
}

func answer(t testing.TB, c mqtt.Client, id, state, reason string) {
	t.Helper()
	publish(t, c, "linli/reply/north/meter/em-1", fmt.Sprintf(`{"id":%q,"state":%q,"reason":%q}`, id, state, reason), false)
}

func TestACommandReachesItsDeviceAndIsAnswered(t *testing.T) {
	s := newSite(t)
	device, got := s.listen(t)
	now := time.Now().UTC().Truncate(time.Second)
	s.ask(t, "c1", now, time.Minute)
	p := next(t, got)
	if p["topic"] != "linli/command/north/meter/em-1/valve_close" || p["id"] != "c1" || p["reason"] != "漏水" || p["expires"] != now.Add(time.Minute).Format(time.RFC3339) {
		t.Errorf("the device got %v", p)
	}
	s.reached(t, "c1", bus.CommandSent)
	publish(t, s.device(t, "em-2"), "linli/reply/south/meter/em-2", `{"id":"c1","state":"done"}`, false) // of another device
	answer(t, device, "c1", "failed", "阀门卡住")
	answer(t, device, "c1", "done", "")
	want := []bus.CommandState{bus.CommandQueued, bus.CommandSent, bus.CommandFailed}
	if all := s.reached(t, "c1", bus.CommandFailed); !slices.Equal(all, want) {
		t.Errorf("states %v, want %v", all, want)
	}
	var last bus.Command
	if err := json.Unmarshal([]byte(s.last(t, bus.Commands)), &last); err != nil || last.Reason != "阀门卡住" || last.By != "wang" {
		t.Errorf("last state %+v, %v", last, err)
	}
}

// A device that is offline gets what is still of use when it comes back, and nothing else.
func TestWhatIsTooOldIsNotSent(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	s := newSite(t, func(c *ingest.Config) { c.Now = clock })
	device, got := s.listen(t)
	const state = "linli/state/north/meter/em-1"
	publish(t, device, state, "offline", true)
	testkit.Eventually(t, 30*time.Second, func() bool { return len(s.stored(t, bus.Events)["events.north.meter.em-1.offline"]) == 1 })
	s.ask(t, "unlock", clock(), time.Minute)
	s.ask(t, "dim", clock(), time.Hour)
	ahead.Store(int64(2 * time.Minute))
	if all := s.reached(t, "unlock", bus.CommandExpired); slices.Contains(all, bus.CommandSent) {
		t.Errorf("sent to a device that is offline: %v", all)
	}
	publish(t, device, state, "online", true)
	if p := next(t, got); p["id"] != "dim" {
		t.Errorf("the device got %v, want the command whose time is not over", p)
	}
	answer(t, device, "dim", "done", "")
	s.reached(t, "dim", bus.CommandDone)
	if len(got) > 0 {
		t.Errorf("the device also got %v", next(t, got))
	}
}

// An answer that came while nobody noted it is noted by the next ingest, which sends the command to nobody.
func TestCommandsGoOnAfterARestart(t *testing.T) {
	s := newSite(t)
	device, got := s.listen(t)
	s.ask(t, "c1", time.Now(), time.Minute)
	next(t, got)
	s.reached(t, "c1", bus.CommandSent)
	s.stop()
	answer(t, device, "c1", "done", "") // the broker keeps it
	s.ask(t, "c2", time.Now(), time.Minute)
	s.start(t)
	s.reached(t, "c1", bus.CommandDone)
	for p := next(t, got); p["id"] != "c2"; p = next(t, got) {
		if p["id"] != "c1" { // once more under its id, if the answer was read later than the command
			t.Errorf("the device got %v", p)
		}
	}
	answer(t, device, "c2", "done", "")
	s.reached(t, "c2", bus.CommandDone)
}

func TestACommandForADeviceThatIsGoneFails(t *testing.T) {
	s := newSite(t)
	_, got := s.listen(t)
	s.stop()
	s.ask(t, "c1", time.Now(), time.Minute)
	if err := s.registry.Revoke(t.Context(), "em-1"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.registry.Device("em-1").State == devices.Revoked })
	s.start(t)
	if all := s.reached(t, "c1", bus.CommandFailed); slices.Contains(all, bus.CommandSent) || len(got) > 0 {
		t.Errorf("states %v, and the device got %d", all, len(got))
	}
}
