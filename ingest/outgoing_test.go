package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"linli/bus"
	"linli/devices"
)

// play is a dispatcher without a broker and a bus: a log of states, and what was sent.
type play struct {
	*rapid.T
	now   time.Time
	out   *outgoing
	log   []bus.Command
	sent  map[string][]string // ids by device, in the order they went out
	asked map[string][]string
	away  map[string]bool
	answers
}

// answers are what devices say, which may come late or twice.
type answers []bus.Command

func (p *play) note(c *bus.Command) {
	p.log = append(p.log, *c)
	p.out.record(*c)
}

// Whatever is asked for, answered, lost and restarted: nothing is sent after its time, to a device that is offline, or after a later
// command of the same device; and everything ends.
func TestOutgoingKeepsItsPromises(t *testing.T) {
	registry := func(id string) *devices.Device {
		if id == "child" {
			return &devices.Device{ID: id, Gateway: "gate"}
		}
		return &devices.Device{ID: id}
	}
	rapid.Check(t, func(r *rapid.T) {
		p := &play{T: r, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), out: newOutgoing(), sent: map[string][]string{}, asked: map[string][]string{}, away: map[string]bool{}}
		device := rapid.SampledFrom([]string{"a", "b", "child"})
		r.Repeat(map[string]func(*rapid.T){
			"ask": func(r *rapid.T) {
				c := bus.Command{ID: fmt.Sprint("c", len(p.log)), Device: device.Draw(r, "device"), State: bus.CommandQueued, Asked: p.now, At: p.now}
				c.Expires = p.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(r, "life")) * time.Second)
				p.asked[c.Device] = append(p.asked[c.Device], c.ID)
				p.note(&c)
			},
			"online": func(r *rapid.T) {
				p.hear(rapid.SampledFrom([]string{"a", "b", "child", "gate"}).Draw(r, "device"), true)
			},
			"offline": func(r *rapid.T) {
				p.hear(rapid.SampledFrom([]string{"a", "b", "child", "gate"}).Draw(r, "device"), false)
			},
			"time":    func(r *rapid.T) { p.now = p.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(r, "s")) * time.Second) },
			"answer":  p.answer,
			"restart": func(*rapid.T) { p.restart() },
			"send":    func(*rapid.T) { p.attend(registry) },
			"send, and die before it is noted": func(*rapid.T) {
				if x := p.out.due(p.now, registry); x != nil {
					p.goes(x, registry)
					p.restart()
				}
			},
		})
		p.now = p.now.Add(time.Hour)
		p.attend(registry)
		for id, x := range p.out.orders {
			if !x.Settled() {
				r.Fatalf("%s is still %s after all its time", id, x.State)
			}
		}
	})
}

func (p *play) hear(device string, online bool) {
	p.away[device] = !online
	p.out.heard(device, online, p.now)
}

// restart begins with what the log and the broker say.
func (p *play) restart() {
	p.out = newOutgoing()
	for _, c := range p.log {
		p.out.record(c)
	}
	for device, away := range p.away {
		p.out.heard(device, !away, p.now)
	}
}

func (p *play) answer(r *rapid.T) {
	if len(p.answers) == 0 {
		r.Skip("nothing was sent")
	}
	a := rapid.SampledFrom(p.answers).Draw(r, "answer")
	if c := p.out.answered(a.Device, a.ID, a.State, "", p.now); c != nil {
		p.note(c)
	}
	if c := p.out.answered("another", a.ID, a.State, "", p.now); c != nil {
		r.Fatal("an answer of another device counts")
	}
}

func (p *play) attend(registry func(string) *devices.Device) {
	for _, c := range p.out.lapsed(p.now) {
		p.note(c)
	}
	for x := p.out.due(p.now, registry); x != nil; x = p.out.due(p.now, registry) {
		p.goes(x, registry)
		if x.State != bus.CommandQueued {
			x.wait(p.now)
		} else {
			p.note(x.next(bus.CommandSent, "", p.now))
		}
	}
}

// goes notes that a command goes out, and objects if it must not.
func (p *play) goes(x *order, registry func(string) *devices.Device) {
	if !p.now.Before(x.Expires) {
		p.Fatalf("%s is sent after its time", x.ID)
	}
	if p.away[x.Device] || p.away[registry(x.Device).Gateway] {
		p.Fatalf("%s is sent to a device that is offline", x.ID)
	}
	asked, sent := p.asked[x.Device], p.sent[x.Device]
	if len(sent) > 0 && slices.Index(asked, x.ID) < slices.Index(asked, sent[len(sent)-1]) {
		p.Fatalf("%s is sent after %s, which was asked for later", x.ID, sent[len(sent)-1])
	}
	for _, c := range p.log {
		if c.ID == x.ID && c.State != bus.CommandQueued && c.State != bus.CommandSent {
			p.Fatalf("%s is sent and is %s", x.ID, c.State)
		}
	}
	p.sent[x.Device] = append(p.sent[x.Device], x.ID)
	p.answers = append(p.answers, *x.next(bus.CommandDone, "", p.now), *x.next(bus.CommandFailed, "busy", p.now))
}

func TestASilentDeviceIsAskedAgainWithPatience(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o, began := newOutgoing(), now
	none := func(string) *devices.Device { return nil }
	o.record(bus.Command{ID: "c", Device: "d", State: bus.CommandQueued, At: now, Asked: now, Expires: now.Add(5 * time.Minute)})
	var at []string
	for ; now.Sub(began) < 10*time.Minute; now = now.Add(time.Second) {
		for _, c := range o.lapsed(now) {
			o.record(*c)
			at = append(at, string(c.State)+" "+now.Sub(began).String())
		}
		if x := o.due(now, none); x != nil {
			if x.State == bus.CommandQueued {
				o.record(*x.next(bus.CommandSent, "", now))
			} else {
				x.wait(now)
			}
			at = append(at, now.Sub(began).String())
		}
	}
	want := `["0s","10s","30s","1m10s","2m10s","3m10s","4m10s","expired 5m0s"]`
	if got, _ := json.Marshal(at); string(got) != want {
		t.Errorf("sent at %s, want %s", got, want)
	}
	if c := o.answered("d", "c", bus.CommandDone, "", now); c == nil || c.State != bus.CommandDone {
		t.Errorf("a late answer is not noted: %+v", c)
	}
	o.lapsed(now.Add(keptExpired))
	if len(o.orders)+len(o.devices) > 0 {
		t.Error("an expired command is never forgotten")
	}
}

func TestTheNextCommandWaitsForTheAnswer(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	none := func(string) *devices.Device { return nil }
	for _, tt := range []struct {
		answer, online time.Duration // 0: never
		want           string
	}{
		{0, 0, `["a 0s","a 10s","b 15s","b 25s"]`},
		{3 * time.Second, 0, `["a 0s","b 3s","b 13s","b 33s"]`},
		{0, 12 * time.Second, `["a 0s","a 10s","a 12s","b 15s","b 25s"]`},
	} {
		o := newOutgoing()
		for _, id := range []string{"a", "b"} {
			o.record(bus.Command{ID: id, Device: "d", State: bus.CommandQueued, At: began, Asked: began, Expires: began.Add(time.Minute)})
		}
		var sent []string
		for after := time.Duration(0); after < 40*time.Second; after += time.Second {
			now := began.Add(after)
			if after == tt.answer && after > 0 {
				o.record(*o.answered("d", "a", bus.CommandDone, "", now))
			}
			if after == tt.online && after > 0 {
				o.heard("d", true, now)
			}
			for x := o.due(now, none); x != nil; x = o.due(now, none) {
				sent = append(sent, x.ID+" "+after.String())
				if x.State == bus.CommandQueued {
					o.record(*x.next(bus.CommandSent, "", now))
				} else {
					x.wait(now)
				}
			}
		}
		if got, _ := json.Marshal(sent); string(got) != tt.want {
			t.Errorf("answered after %s, back after %s: sent %s, want %s", tt.answer, tt.online, got, tt.want)
		}
	}
}
