package alerts

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
)

// A sequence is heard of when its time is over, which is not late; one whose first was long on its way is.
func TestASequenceIsNotLateForHavingWaited(t *testing.T) {
	for said, late := range map[string]bool{"p1 0s!jam": false, "p1 0s!jam +12m": true} {
		w := &world{core: newCore(testRules(t, "testdata/beyond.yaml"), newPeople()), t: t}
		w.say(said)
		w.wall(time.Hour)
		i := slices.IndexFunc(w.book.out, func(ev bus.AlertEvent) bool { return ev.Alert.Rule == "m_stuck" })
		if text := w.book.out[i].Alert.Text; strings.Contains(text.EN, "late") != late || strings.Contains(text.ZH, "迟到") != late {
			t.Errorf("%s: the alert says %q, %q", said, text.EN, text.ZH)
		}
	}
}

// Whatever an engine knew of an SOS that nobody answers, or somebody did, the next one knows, with and without a checkpoint.
func TestARestartKnowsWhetherAnSOSWasAnswered(t *testing.T) {
	rules := testRules(t, "testdata/reference.yaml", "testdata/reference_sequences.yaml")
	for _, checkpoint := range []bool{false, true} {
		for kind, want := range map[string][]string{
			"comment":     {"r_alone[person=ma] 2m:opened"},
			"acknowledge": nil,
		} {
			d, now := newDisk(), start
			e := d.engine(t, rules, &now)
			step := func(stream string, data []byte) {
				d.put(t, stream, data)
				if err := d.feed(t, e); err != nil {
					t.Fatal(err)
				}
				if err := e.commit(t.Context(), checkpoint); err != nil {
					t.Fatal(err)
				}
				e = d.engine(t, rules, &now)
			}
			press, _ := say("p1 0s!sos confidence=0.9")
			step(bus.Events, press)
			now = now.Add(time.Minute)
			sos := slices.Collect(maps.Keys(d.alerts))[0]
			for _, kind := range []string{kind, "close"} {
				data, err := json.Marshal(bus.Action{Key: kind, Kind: kind, Alert: sos, Community: "tianjin", By: "li", At: now, Disposition: "helped"})
				if err != nil {
					t.Fatal(err)
				}
				step(bus.Actions, data)
			}
			now = now.Add(5 * time.Minute)
			if err := e.tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ev := range d.log {
				if ev.Alert.Rule == "r_alone" && ev.Kind == opened {
					got = append(got, spellEvents([]bus.AlertEvent{ev})...)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, checkpoint %v (-want +got):\n%s", kind, checkpoint, diff)
			}
		}
	}
}

// Other rules leave a sequence that waits where it is.
func TestASequenceOutlivesAReload(t *testing.T) {
	rules := testRules(t, "testdata/beyond.yaml")
	w := &world{core: newCore(rules, newPeople()), t: t}
	w.say("p1,inlet=2 0s!jam")
	next, err := w.with(rules)
	if err != nil {
		t.Fatal(err)
	}
	w.core = next
	w.wall(6 * time.Minute)
	w.expect("m_stuck[device=p1,inlet=2] 5m:opened")
}

// A checkpoint of version 5 has the sequences in it. A record that was written later is right about those of its shard.
func TestSequencesOfAnOldCheckpointAreKnown(t *testing.T) {
	const shard = 62
	old, err := base64.StdEncoding.DecodeString("BQIHbV9zdHVjawVpbmxldAAAAAEAEWRldmljZT1wMSxpbmxldD0yB3RpYW5qaW4CcDHAgfT4lGfAgfT4lGcBAQEy")
	if err != nil {
		t.Fatal(err)
	}
	for _, over := range []bool{false, true} {
		w := &world{core: newCore(testRules(t, "testdata/beyond.yaml"), newPeople()), t: t}
		if err := w.unpack(old); err != nil {
			t.Fatal(err)
		}
		if !w.stepped[shard] {
			t.Error("it is not written anew")
		}
		want := []string{"m_stuck[device=p1,inlet=2] 6m:opened"}
		if over {
			want = nil
			if err := w.unpackSteps((&core{}).packSteps(shard)); err != nil {
				t.Fatal(err)
			}
		}
		w.wall(time.Hour)
		w.expect(want...)
	}
}

func FuzzUnpackSteps(f *testing.F) {
	rules := testRules(f, "testdata/beyond.yaml")
	w := &world{core: newCore(rules, newPeople()), t: f}
	w.say("p1,inlet=1 0m!jam", "p3 1m!jam")
	for i := range uint8(shards) {
		f.Add(w.packSteps(i))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		c := newCore(rules, newPeople())
		if c.unpackSteps(data) == nil {
			for i := range uint8(shards) {
				c.packSteps(i)
			}
		}
	})
}
