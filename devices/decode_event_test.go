package devices

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const eventHead = "event,community=tianjin,device=em-1,type=electricity_meter,event="

func TestEvent(t *testing.T) {
	received := ` received_at=1793592000000i,time_source="received"`
	for _, test := range []struct{ name, event, payload, line, outcome string }{
		{"empty payload", "cover_opened", "", "cover_opened" + received, ""},
		{"white space", "cover_opened", " \n", "cover_opened" + received, ""},
		{"empty object", "cover_opened", "{}", "cover_opened" + received, ""},
		{"fields", "cover_opened", `{"force_n":3.5,"by":"a \"b\"","seq":9}`, "cover_opened" + received + `,force_n=3.5,by="a \"b\"",seq=9i`, ""},
		{"ts", "cover_opened", `{"ts":1793591990000,"seq":9}`, `cover_opened received_at=1793592000000i,time_source="device",seq=9i`, ""},
		{"series tags", "cover_opened", `{"circuit":2}`, "cover_opened" + received + `,circuit="2"`, ""},
		{"an hour old", "cover_opened", `{"ts":1793588400000}`, `cover_opened received_at=1793592000000i,time_source="device"`, ""},
		{"late", "cover_opened", `{"ts":1793588399999}`, `cover_opened received_at=1793592000000i,time_source="device",late=true`, ""},
		{"unusable field", "cover_opened", `{"by":1,"x":2,"force_n":1}`, "cover_opened" + received + ",force_n=1", "0 by field: 1 is no string; unknown x"},
		{"not JSON", "cover_opened", `x`, "", "json: byte 0: want an object"},
		{"array", "cover_opened", `[{}]`, "", "json: byte 0: want an object"},
		{"too old", "cover_opened", `{"ts":"1970-01-01T00:00:00Z"}`, "", "timestamp: ts 1970-01-01T00:00:00Z is more than 7 days old"},
		{"bad series tag", "cover_opened", `{"circuit":"A"}`, "", `tag: circuit: "A" is no value of this series tag`},
		{"unknown event", "sos2", ``, "", `unknown_event: electricity_meter has no event "sos2"`},
		{"reply", "reply", `{"id":"c-1","state":"done"}`, "reply" + received + `,id="c-1",state="done"`, ""},

		{"life safety, empty payload", "sos", "", "sos" + received, ""},
		{"life safety, field", "sos", `{"confidence":0.5}`, "sos" + received + ",confidence=0.5", ""},
		{"life safety, field out of range", "sos", `{"confidence":2}`, "sos" + received, "0 confidence field: 2 is outside 0 to 1"},
		{"life safety, not JSON", "sos", `{"confidence":0.5,`, "sos" + received + ",bad_payload=true", "json: byte 18: want the name of a member"},
		{"life safety, invalid UTF-8", "sos", "\xff", "sos" + received + ",bad_payload=true", "json: byte 0: not UTF-8"},
		{"life safety, name twice", "sos", `{"seq":1,"seq":2}`, "sos" + received + ",bad_payload=true", `duplicate_key: "seq" is there twice`},
		{
			"life safety, 1970", "sos", `{"ts":3,"confidence":1}`, `sos received_at=1793592000000i,time_source="replaced",confidence=1`,
			"timestamp: ts 3 is neither RFC 3339 nor seconds or milliseconds since 1970",
		},
		{"life safety, 8 h ahead", "sos", `{"ts":1793620800000}`, `sos received_at=1793592000000i,time_source="replaced"`, "timestamp: ts 2026-11-02T12:00:00Z is more than 5 minutes ahead"},
		{"life safety, a day old", "sos", `{"ts":1793505600000}`, `sos received_at=1793592000000i,time_source="device"`, ""},
		{"life safety, late", "sos", `{"ts":1793505599999}`, `sos received_at=1793592000000i,time_source="device",late=true`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			dst, out := d.Event(nil, meter, meterDevice, test.event, []byte(test.payload), noon)
			line, stamp, _ := strings.Cut(string(dst), "\n")
			if i := strings.LastIndexByte(line, ' '); i >= 0 {
				line, stamp = line[:i], line[i+1:]
			}
			want := test.line
			if want != "" {
				want = eventHead + want
			}
			if diff := cmp.Diff(want, line); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.outcome, summary(out)); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if (len(out.Readings) == 1) != (want != "") || want != "" && len(stamp) != 19 {
				t.Errorf("%d readings at %q for line %q", len(out.Readings), stamp, line)
			}
		})
	}
}

func TestPressesWithoutTSAreNotIdentified(t *testing.T) {
	var d Decoder
	for payload, want := range map[string]bool{``: false, `{}`: false, `{"ts":0}`: false, `{"seq":1}`: true, `{"ts":1793592000}`: true, `{"seq":1`: false} {
		_, out := d.Event(nil, meter, meterDevice, "sos", []byte(payload), noon)
		if len(out.Readings) != 1 || out.Readings[0].Identified != want {
			t.Errorf("%q: got %+v, want identified %v", payload, out.Readings, want)
		}
	}
}

func TestEventsOfOneMillisecondHaveTheirOwnTime(t *testing.T) {
	var d Decoder
	at := func(payload string) string {
		dst, _ := d.Event(nil, meter, meterDevice, "sos", []byte(payload), noon.Add(time.Second))
		return string(dst)
	}
	if a, b := at(`{"ts":1793592000000,"confidence":1}`), at(`{"ts":1793592000000,"confidence":0.5}`); a[len(a)-20:] == b[len(b)-20:] {
		t.Errorf("both at %s", a[len(a)-20:])
	}
}
