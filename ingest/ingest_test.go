package ingest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"linli/bus"
	"linli/ingest"
	"linli/internal/testkit"
)

const (
	emTopic  = "linli/telemetry/north/meter/em-1"
	sosTopic = "linli/event/north/band/wb-1/sos"
)

// outcome is a row of the table in doc.go.
type outcome struct{ message, part, code string }

// documented reads the table in doc.go.
func documented(t *testing.T) map[string]outcome {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]outcome{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.TrimPrefix(line, "//\t"), "|")
		if len(cells) != 4 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSuffix(strings.TrimSpace(cells[i]), "-")
		}
		rows[cells[0]] = outcome{cells[1], cells[2], cells[3]}
	}
	delete(rows, "what comes")
	return rows
}

// step is what a row of the table looks like on the wire. Its last message is the one the row speaks of.
type step struct {
	topic    string
	payloads []string
	restart  bool   // ingest, after the first payload: the broker sends again what it retained
	want     string // part of what is stored or of the reason
}

var steps = map[string]step{
	"readings: usable":                                        {emTopic, []string{`{"ts":NOW,"seq":1,"power_w":1}`}, false, "electricity,community=north,device=em-1 power_w=1,received_at="},
	"readings: of a health type":                              {"linli/telemetry/north/band/wb-1", []string{`{"heart_rate_bpm":60}`}, false, "band,community=north,device=wb-1 heart_rate_bpm=60,"},
	"readings: a life-safety type on the safety lane":         {"linli/safety/north/band/wb-1", []string{`{"heart_rate_bpm":61}`}, false, "heart_rate_bpm=61,"},
	"readings: same series, ts and seq (or bytes) again":      {emTopic, []string{`{"ts":NOW,"seq":2,"power_w":2}`, `{"ts":NOW,"seq":2,"power_w":2}`}, false, ""},
	"readings: retained by the broker, without ts and seq":    {emTopic, []string{`{"power_w":3}`}, true, ""},
	"readings: unknown field":                                 {emTopic, []string{`{"seq":4,"power_w":4,"colour":"red"}`}, false, "power_w=4,received_at="},
	"readings: field of a wrong type, without the field":      {emTopic, []string{`{"seq":5,"power_w":5,"frequency_hz":"50"}`}, false, `reading 0: frequency_hz left out: "50" is no float`},
	"readings: field out of range, without the field":         {emTopic, []string{`{"seq":6,"power_w":6,"frequency_hz":44}`}, false, "reading 0: frequency_hz left out: 44 is outside 45 to 55"},
	"readings: no usable field":                               {emTopic, []string{`{"power_w":null}`}, false, "reading 0: no known field"},
	"readings: known name twice":                              {emTopic, []string{`{"power_w":1,"power_w":2}`}, false, `"power_w" is there twice`},
	"readings: ts unusable, 7 days old or 5 minutes ahead":    {emTopic, []string{`{"ts":12,"power_w":7}`}, false, "ts 12 is neither"},
	"readings: series tag not one of its values or no id":     {emTopic, []string{`{"circuit":"A b","power_w":8}`}, false, `circuit: "A b" is no value`},
	"readings: more combinations of series tags than allowed": {emTopic, []string{`{"circuit":1,"power_w":9}`, `{"circuit":2,"power_w":9}`, `{"circuit":1,"power_w":10}`, `{"circuit":3,"power_w":9}`}, false, "2 combinations"},
	"readings: payload not UTF-8, not JSON or nested deep":    {emTopic, []string{`{"power_w":`}, false, "byte 11: want a value"},
	"readings: none or more than 1000":                        {emTopic, []string{`[]`}, false, "no reading"},
	"readings: another type on the safety lane":               {"linli/safety/north/meter/em-1", []string{`{"power_w":11}`}, false, "no life-safety type"},

	"event: usable, or empty":                                 {"linli/event/north/meter/em-1/cover_opened", []string{``}, false, "event,community=north,device=em-1,type=meter,event=cover_opened "},
	"event: same bytes again, with ts or seq":                 {"linli/event/north/meter/em-1/cover_opened", []string{`{"seq":1}`, `{"seq":1}`}, false, ""},
	"event: same bytes again within 10 s, without ts and seq": {"linli/event/north/meter/em-1/cover_opened", []string{`{"by":"a"}`, `{"by":"a"}`}, false, ""},
	"event: retained by the broker, without ts and seq":       {"linli/event/north/band/wb-2/sos", []string{`{"confidence":1}`}, true, ""},
	"event: unusable field, without the field":                {"linli/event/north/meter/em-1/cover_opened", []string{`{"by":7}`}, false, "reading 0: by left out: 7 is no string"},
	"event: payload not UTF-8, not JSON or no object":         {"linli/event/north/meter/em-1/cover_opened", []string{`[]`}, false, "want an object"},
	"event: known name twice":                                 {"linli/event/north/meter/em-1/cover_opened", []string{`{"by":"a","by":"b"}`}, false, `"by" is there twice`},
	"event: ts unusable, 7 days old or 5 minutes ahead":       {"linli/event/north/meter/em-1/cover_opened", []string{`{"ts":"1970-01-01T00:00:00Z"}`}, false, "more than 7 days old"},
	"event: the type has no such event":                       {"linli/event/north/meter/em-1/sos", []string{``}, false, `meter has no event "sos"`},
	"life-safety event: unreadable payload, marked so":        {sosTopic, []string{`{"confidence":`}, false, "byte 14: want a value"},
	"life-safety event: ts unusable, at the time received":    {sosTopic, []string{`{"ts":"1970-01-01T00:00:00Z"}`}, false, "more than 7 days old"},
	"life-safety event: wrong community, under the right one": {"linli/event/south/band/wb-1/sos", []string{`{"seq":1}`}, false, `of community "north", not "south"`},
	"life-safety event: wrong type, under the right one":      {"linli/event/north/meter/wb-1/sos", []string{`{"seq":2}`}, false, `is a "band", not a "meter"`},
	"life-safety event: of a revoked device":                  {"linli/event/north/band/wb-old/sos", []string{``}, false, "is revoked"},
	"state: online or offline, and it was not":                {"linli/state/north/meter/em-1", []string{"online", "offline"}, false, "event=offline "},
	"state: as it was":                                        {"linli/state/north/band/wb-1", []string{"online"}, true, ""},
	"state: another word":                                     {"linli/state/north/meter/em-1", []string{"Online"}, false, "bare word"},
	"reply: usable":                                           {"linli/reply/north/meter/em-1", []string{`{"id":"c1","state":"done"}`}, false, `,event=reply `},
	"reply: unreadable payload":                               {"linli/reply/north/meter/em-1", []string{`done`}, false, "want an object"},

	"any: payload larger than 64 KiB":                {emTopic, []string{`{"label":"` + strings.Repeat("x", 64<<10) + `"}`}, false, "at most 65536"},
	"any: topic of no known form":                    {"linli/telemetry/north/meter/em-1/extra", []string{`{"power_w":1}`}, false, "further levels"},
	"any: unknown device":                            {"linli/telemetry/north/meter/nobody", []string{`{"power_w":1}`}, false, `no device "nobody"`},
	"any: revoked or replaced device":                {"linli/telemetry/north/meter/em-old", []string{`{"power_w":1}`}, false, "is revoked"},
	"any: device of a type that the catalogue lacks": {"linli/telemetry/north/gone/x-1", []string{`{"power_w":1}`}, false, `no type "gone"`},
	"any: device of another community":               {"linli/telemetry/south/meter/em-1", []string{`{"power_w":1}`}, false, `of community "north", not "south"`},
	"any: device of another type":                    {"linli/telemetry/north/band/em-1", []string{`{"heart_rate_bpm":1}`}, false, `is a "meter", not a "band"`},
}

// TestOutcomes walks the table of the package's documentation on a real broker.
func TestOutcomes(t *testing.T) {
	rows := documented(t)
	if a, b := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(steps)); !slices.Equal(a, b) {
		t.Fatalf("documented:\n%s\nwalked:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	s := newSite(t)
	c := s.device(t, "tester")
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Run(name, func(t *testing.T) { s.walk(t, c, steps[name], rows[name], now) })
	}
	s.acknowledged(t)
}

func (s *site) walk(t *testing.T, c mqtt.Client, step step, want outcome, now time.Time) {
	last := len(step.payloads) - 1
	send := func(payloads []string) {
		for _, p := range payloads {
			before := s.sum("messages", "")
			publish(t, c, step.topic, strings.ReplaceAll(p, "NOW", fmt.Sprint(now.UnixMilli())), step.restart)
			s.settled(t, before+1)
		}
	}
	send(step.payloads[:last])
	if step.restart {
		send(step.payloads)
		s.stop()
		s.start(t)
		defer func() { // make the broker forget it
			n := s.sum("messages", "")
			publish(t, c, step.topic, "", true)
			s.settled(t, n+1)
		}()
	}
	before := s.counts()
	if step.restart {
		s.settled(t, 1)
	} else {
		send(step.payloads[last:])
	}
	lane := "readings"
	if strings.HasPrefix(step.topic, "linli/event/") || strings.HasPrefix(step.topic, "linli/state/") || strings.HasPrefix(step.topic, "linli/reply/") {
		lane = "events"
	}
	expected := map[string]float64{"messages " + want.message: 1}
	if want.part != "" {
		expected[lane+" "+want.part] = 1
	}
	if want.code != "" {
		expected["rejects "+want.code] = 1
	}
	got := s.counts()
	if step.restart {
		before = nil // the counters began anew
	}
	for k, n := range got {
		if got[k] = n - before[k]; got[k] == 0 {
			delete(got, k)
		}
	}
	if !maps.Equal(got, expected) {
		t.Errorf("counted %v, want %v", got, expected)
	}
	if want.code != "" {
		r := s.lastReject(t)
		if r.Code != want.code || !strings.Contains(r.Reason, step.want) || r.Topic != step.topic || len(r.Raw) == 0 && step.payloads[last] != "" {
			t.Errorf("reject is %s: %s (%s, %d bytes), want %s: %s", r.Code, r.Reason, r.Topic, len(r.Raw), want.code, step.want)
		}
	} else if step.want != "" {
		stream := map[string]string{"readings": bus.Readings, "events": bus.Events}[lane]
		if data := s.last(t, stream); !strings.Contains(data, step.want) {
			t.Errorf("stored %q, want %q in it", data, step.want)
		}
	}
}

// acknowledged waits until the broker holds no message any more.
func (s *site) acknowledged(t testing.TB) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() bool {
		st, err := s.bus.JS.Stream(t.Context(), "$MQTT_msgs")
		return err == nil && st.CachedInfo().State.Msgs == 0
	})
}

func TestHealthReadingsHaveTheirOwnSubject(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	publish(t, c, emTopic, `{"power_w":1}`, false)
	publish(t, c, "linli/telemetry/north/band/wb-1", `{"heart_rate_bpm":60}`, false)
	publish(t, c, "linli/telemetry/south/meter/em-2", `{"power_w":2}`, false)
	s.settled(t, 3)
	got := slices.Sorted(maps.Keys(s.stored(t, bus.Readings)))
	if want := []string{"readings.north", "readings.north.health", "readings.south"}; !slices.Equal(got, want) {
		t.Errorf("subjects %v, want %v", got, want)
	}
}

// A press of an SOS button has neither ts nor seq. Within 10 s it is a repeat; TestRepeatsEndAfterTenSeconds has the second press.
func TestPressAndItsRepeatsAreOneEvent(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	for range 3 {
		publish(t, c, sosTopic, ``, false)
	}
	s.settled(t, 3)
	if n := s.sum("events", "stored"); n != 1 {
		t.Fatalf("%v events of a press and its repeats", n)
	}
}

func TestOrderIsKept(t *testing.T) {
	for _, always := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync always %v", always), func(t *testing.T) {
			s := newSite(t, func(c *ingest.Config) { c.SyncAlways = always })
			a, b := s.device(t, "tester-1"), s.device(t, "tester-2")
			const n = 500
			for i := range n {
				a.Publish(emTopic, 1, false, fmt.Sprintf(`{"seq":%d,"power_w":1}`, i))
				b.Publish("linli/telemetry/south/meter/em-2", 1, false, fmt.Sprintf(`{"seq":%d,"power_w":1}`, i))
			}
			s.settled(t, 2*n)
			for subject, batches := range s.stored(t, bus.Readings) {
				next := 0
				for line := range strings.Lines(strings.Join(batches, "")) {
					if !strings.Contains(line, fmt.Sprintf(",seq=%di ", next)) {
						t.Fatalf("%s: %s, want seq %d", subject, line, next)
					}
					next++
				}
				if next != n {
					t.Errorf("%s: %d readings, want %d", subject, next, n)
				}
			}
			s.acknowledged(t)
		})
	}
}

func TestBatchesAreBounded(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	readings := make([]string, 600)
	for m := range 20 {
		for i := range readings {
			readings[i] = fmt.Sprintf(`{"seq":%d,"power_w":1}`, m*len(readings)+i)
		}
		c.Publish(emTopic, 1, false, "["+strings.Join(readings, ",")+"]")
	}
	s.settled(t, 20)
	total := 0
	for _, batch := range s.stored(t, bus.Readings)["readings.north"] {
		n := strings.Count(batch, "\n")
		if total += n; n > 1000 || len(batch) > 512<<10 {
			t.Errorf("batch of %d readings, %d bytes", n, len(batch))
		}
	}
	if total != 20*len(readings) || s.sum("readings", "stored") != float64(total) {
		t.Errorf("%d readings stored, %v counted, want %d", total, s.sum("readings", "stored"), 20*len(readings))
	}
}
