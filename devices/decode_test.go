package devices

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// meter has every type of field and series tags; its event sos is a life-safety one.
var meter = func() *Type {
	inf := math.Inf(1)
	number := func(id string, low, high float64) *Field { return &Field{ID: id, Type: Float, Min: low, Max: high} }
	t := &Type{
		ID: "electricity_meter", Measurement: "electricity",
		Fields: []*Field{
			number("power_w", -2e6, 2e6), number("voltage_l1_v", 0, 500), number("current_l1_a", -3000, 3000),
			number("frequency_hz", 45, 55), number("energy_import_kwh", 0, 99999999.99), number("any", -math.MaxFloat64, math.MaxFloat64),
			{ID: "starts", Type: Int, Max: 4294967295},
			{ID: "relay_closed", Type: Bool},
			{ID: "phase", Type: Enum, Enum: []string{"single", "threePhase"}},
			{ID: "label", Type: String},
		},
		Tags: []*Tag{
			{ID: "circuit"}, {ID: "tariff", Values: []string{"peak", "flat"}}, {ID: "care", Registry: true},
		},
		Events: []*Event{
			{ID: "cover_opened", Fields: []*Field{{ID: "by", Type: String}, {ID: "force_n", Type: Float, Min: -inf, Max: inf}}},
			{ID: "sos", Safety: true, Fields: []*Field{{ID: "confidence", Type: Float, Min: 0, Max: 1}}},
		},
	}
	t.index()
	return t
}()

var (
	meterDevice = &Device{ID: "em-1", Community: "tianjin", Type: "electricity_meter", State: Active}
	noon        = time.Date(2026, 11, 2, 4, 0, 0, 0, time.UTC)
)

// summary says an outcome in one line.
func summary(out Outcome) string {
	var parts []string
	if out.Code != "" {
		parts = append(parts, string(out.Code)+": "+out.Reason)
	}
	for _, f := range out.Faults {
		parts = append(parts, fmt.Sprintf("%d %s %s: %s", f.Reading, f.Field, f.Code, f.Reason))
	}
	for _, u := range out.Unknown {
		parts = append(parts, "unknown "+string(u))
	}
	return strings.Join(parts, "; ")
}

const head = "electricity,community=tianjin,device=em-1"

func TestReading(t *testing.T) {
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	long := strings.Repeat("字", MaxTextRunes)
	for _, test := range []struct{ name, payload, lines, outcome string }{
		{
			"object", `{"ts":1793592000000,"seq":7,"power_w":312.5,"relay_closed":true,"phase":"threePhase"}`,
			head + ` power_w=312.5,relay_closed=true,phase="threePhase",received_at=1793592000000i,seq=7i 1793592000000000007` + "\n", "",
		},
		{
			"array", `[{"ts":1793591999000,"seq":1,"power_w":1} , {"ts":1793592000,"seq":2,"boot":3,"power_w":2}]`,
			head + " power_w=1,received_at=1793592000000i,seq=1i 1793591999000000001\n" +
				head + " power_w=2,received_at=1793592000000i,seq=2i,boot=3i 1793592000000000002\n", "",
		},
		{
			"RFC 3339", `{"ts":"2026-11-02T12:00:00.25+08:00","seq":1,"power_w":1}`,
			head + " power_w=1,received_at=1793592000000i,seq=1i 1793592000250000001\n", "",
		},
		{
			"seconds with fraction", `{"ts":1793591999.125,"seq":1,"power_w":1}`,
			head + " power_w=1,received_at=1793592000000i,seq=1i 1793591999125000001\n", "",
		},
		{"no ts", `{"seq":1000007,"power_w":1}`, head + " power_w=1,received_at=1793592000000i,seq=1000007i 1793592000000000007\n", ""},
		{"null ts, seq and boot", `{"ts":null,"seq":null,"boot":null,"power_w":1}`, head + " power_w=1,received_at=1793592000000i 1793592000000292614\n", ""},
		{
			"series tags", `{"seq":1,"tariff":"peak","power_w":1,"circuit":3}`,
			head + ",circuit=3,tariff=peak power_w=1,received_at=1793592000000i,seq=1i 1793592000000000001\n", "",
		},
		{
			"escaped names and values", `{"seq":1,"\u0070ower_w":1,"label":"a\"b\\c\/\u00e9\ud83d\ude00 ,=","circuit":"\u0061"}`,
			head + `,circuit=a power_w=1,label="a\"b\\c/é😀 ,=",received_at=1793592000000i,seq=1i 1793592000000000001` + "\n", "",
		},
		{
			"numbers as they are written", `{"seq":1,"any":-0,"power_w":1E+5,"voltage_l1_v":0.000001e6,"starts":4294967295.0}`,
			head + " any=-0,power_w=1E+5,voltage_l1_v=0.000001e6,starts=4294967295.0,received_at=1793592000000i,seq=1i 1793592000000000001\n", "",
		},
		{
			"number of 400 digits", `{"seq":1,"any":1` + strings.Repeat("0", 300) + `.` + strings.Repeat("0", 99) + `}`,
			head + " any=1e+300,received_at=1793592000000i,seq=1i 1793592000000000001\n", "",
		},
		{"beyond 2^53", `{"seq":1,"any":9007199254740993}`, head + " any=9007199254740993,received_at=1793592000000i,seq=1i 1793592000000000001\n", ""},
		{"longest text", `{"seq":1,"label":"` + long + `"}`, head + ` label="` + long + `",received_at=1793592000000i,seq=1i 1793592000000000001` + "\n", ""},
		{
			"null field is no value", `{"seq":1,"power_w":null,"phase":null,"circuit":null,"frequency_hz":50}`,
			head + " frequency_hz=50,received_at=1793592000000i,seq=1i 1793592000000000001\n", "",
		},
		{
			"unknown names", `{"seq":1,"power_w":1,"x":{"power_w":[2,{}]},"\u0079":[],"care":"dementia","":0}`,
			head + " power_w=1,received_at=1793592000000i,seq=1i 1793592000000000001\n", "unknown x; unknown y; unknown care; unknown ",
		},

		{
			"wrong types", `{"seq":1,"power_w":"312","relay_closed":1,"phase":2,"label":true,"voltage_l1_v":[1],"starts":{},"frequency_hz":50}`,
			head + " frequency_hz=50,received_at=1793592000000i,seq=1i 1793592000000000001\n",
			`0 power_w field: "312" is no float; 0 relay_closed field: 1 is no bool; 0 phase field: 2 is no enum; 0 label field: true is no string; 0 voltage_l1_v field: [1] is no float; 0 starts field: {} is no int`,
		},
		{
			"out of range", `{"seq":1,"power_w":2000000.1,"voltage_l1_v":-0.1,"any":1e400,"starts":1.5,"phase":"two","frequency_hz":45}`,
			head + " frequency_hz=45,received_at=1793592000000i,seq=1i 1793592000000000001\n",
			`0 power_w field: 2000000.1 is outside -2e+06 to 2e+06; 0 voltage_l1_v field: -0.1 is outside 0 to 500; 0 any field: 1e400 is outside -1.7976931348623157e+308 to 1.7976931348623157e+308; 0 starts field: 1.5 has a fraction; 0 phase field: "two" is none of its values`,
		},
		{
			"unusable text", `{"seq":1,"power_w":1,"label":"a\nb"}`, head + " power_w=1,received_at=1793592000000i,seq=1i 1793592000000000001\n",
			"0 label field: text is longer than 256 characters or has control characters",
		},
		{"text too long", `{"seq":1,"label":"` + long + `x"}`, "", "0 label field: text is longer than 256 characters or has control characters; 0  no_field: no known field with a usable value"},
		{
			"unusable seq and boot", `{"seq":18446744073709551615,"boot":-1,"power_w":1}`, head + " power_w=1,received_at=1793592000000i 1793592000000551187\n",
			"0 seq field: 18446744073709551615 is no whole number from 0 to 2^63-1; 0 boot field: -1 is no whole number from 0 to 2^63-1",
		},

		{"no field", `{}`, "", "0  no_field: no known field with a usable value"},
		{
			"one bad reading of two", `[{"power_w":"x"},{"seq":1,"power_w":1}]`, head + " power_w=1,received_at=1793592000000i,seq=1i 1793592000000000001\n",
			`0 power_w field: "x" is no float; 0  no_field: no known field with a usable value`,
		},
		{"name twice", `{"power_w":1,"power_w":1}`, "", `0  duplicate_key: "power_w" is there twice`},
		{"ts twice", `{"ts":1793592000,"ts":1793592000,"power_w":1}`, "", `0  duplicate_key: "ts" is there twice`},
		{"series tag twice", `{"circuit":"a","circuit":"a","power_w":1}`, "", `0  duplicate_key: "circuit" is there twice`},
		{"series tag out of its values", `{"tariff":"Peak","power_w":1}`, "", `0  tag: tariff: "Peak" is no value of this series tag`},
		{"series tag no identifier", `{"circuit":"a b","power_w":1}`, "", `0  tag: circuit: "a b" is no value of this series tag`},
		{"series tag with a fraction", `{"circuit":1.5,"power_w":1}`, "", `0  tag: circuit: 1.5 is no value of this series tag`},
		{"too old", `{"ts":1792987199999,"power_w":1}`, "", "0  timestamp: ts 2026-10-26T03:59:59Z is more than 7 days old"},
		{"oldest", `{"ts":1792987200000,"seq":1,"power_w":1}`, head + " power_w=1,received_at=1793592000000i,seq=1i 1792987200000000001\n", ""},
		{"too far ahead", `{"ts":1793592300001,"power_w":1}`, "", "0  timestamp: ts 2026-11-02T04:05:00Z is more than 5 minutes ahead"},
		{"farthest ahead", `{"ts":1793592300000,"seq":1,"power_w":1}`, head + " power_w=1,received_at=1793592000000i,seq=1i 1793592300000000001\n", ""},
		{"microseconds", `{"ts":1793592000000000,"power_w":1}`, "", "0  timestamp: ts 1793592000000000 is neither RFC 3339 nor seconds or milliseconds since 1970"},
		{"zero", `{"ts":0,"power_w":1}`, "", "0  timestamp: ts 0 is neither RFC 3339 nor seconds or milliseconds since 1970"},
		{"negative", `{"ts":-1793592000,"power_w":1}`, "", "0  timestamp: ts -1793592000 is neither RFC 3339 nor seconds or milliseconds since 1970"},
		{"year 9999", `{"ts":"9999-12-31T23:59:59Z","power_w":1}`, "", "0  timestamp: ts 9999-12-31T23:59:59Z is more than 5 minutes ahead"},
		{"no date", `{"ts":"noon, the 2nd of Nov","power_w":1}`, "", `0  timestamp: ts "noon, the 2nd of Nov" is neither RFC 3339 nor seconds or milliseconds since 1970`},
		{"ts of a wrong type", `{"ts":{},"power_w":1}`, "", "0  timestamp: ts {} is neither RFC 3339 nor seconds or milliseconds since 1970"},

		{"empty", ``, "", "json: byte 0: want an object or an array of objects"},
		{"empty array", ` [ ] `, "", "count: no reading"},
		{"not JSON", `power_w=1`, "", "json: byte 0: want an object or an array of objects"},
		{"scalar", `1`, "", "json: byte 0: want an object or an array of objects"},
		{"array of scalars", `[{"power_w":1},1]`, "", "json: byte 15: want an object for a reading"},
		{"truncated", `{"power_w":1`, "", "json: byte 12: want , or } after a member"},
		{"truncated string", `{"label":"ab`, "", "json: byte 12: string does not end"},
		{"truncated array", `[{"power_w":1}`, "", "json: byte 14: want , or ] after an element"},
		{"more follows", `{"power_w":1}{}`, "", "json: byte 13: more follows the value"},
		{"NaN", `{"power_w":NaN}`, "", "json: byte 11: want a value"},
		{"Infinity", `{"power_w":-Infinity}`, "", "json: byte 11: malformed number"},
		{"leading zero", `{"power_w":01}`, "", "json: byte 11: malformed number"},
		{"no digit after the point", `{"power_w":1.}`, "", "json: byte 11: malformed number"},
		{"no exponent", `{"power_w":1e+}`, "", "json: byte 11: malformed number"},
		{"plus", `{"power_w":+1}`, "", "json: byte 11: want a value"},
		{"unquoted name", `{power_w:1}`, "", "json: byte 1: want the name of a member"},
		{"trailing comma", `{"power_w":1,}`, "", "json: byte 13: want the name of a member"},
		{"no colon", `{"power_w" 1}`, "", "json: byte 11: want : after the name of a member"},
		{"control character", "{\"label\":\"a\tb\"}", "", "json: byte 12: control character in a string"},
		{"unknown escape", `{"label":"\x"}`, "", "json: byte 10: malformed escape"},
		{"lone surrogate", `{"label":"\ud800"}`, "", "json: byte 10: malformed escape"},
		{"wrong pair", `{"label":"\ud800\u0041"}`, "", "json: byte 10: unpaired surrogate"},
		{"invalid UTF-8", "{\"label\":\"\xff\"}", "", "json: byte 0: not UTF-8"},
		{"byte order mark", "\ufeff{}", "", "json: byte 0: want an object or an array of objects"},
		{"UTF-16", "{\x00\"\x00", "", "json: byte 1: want the name of a member"},
		{"deep in an unknown name", `{"power_w":1,"x":` + deep + `}`, "", "json: byte 49: nested deeper than 32"},
		{"deep array", deep, "", "json: byte 1: want an object for a reading"},
		{"deep in a field", `{"power_w":` + deep + `}`, "", "json: byte 43: nested deeper than 32"},
		{"too many readings", "[" + strings.Repeat("{},", MaxReadings) + "{}]", "", "count: more than 1000 readings"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d Decoder
			dst, out := d.Reading([]byte("before\n"), meter, meterDevice, []byte(test.payload), noon)
			if diff := cmp.Diff("before\n"+test.lines, string(dst)); diff != "" {
				t.Errorf("lines of %.200s (-want +got):\n%s", test.payload, diff)
			}
			if diff := cmp.Diff(test.outcome, summary(out)); diff != "" {
				t.Errorf("outcome of %.200s (-want +got):\n%s", test.payload, diff)
			}
		})
	}
}

func TestReadingsAreCountedAndPlaced(t *testing.T) {
	var d Decoder
	dst, out := d.Reading(nil, meter, meterDevice, []byte(`[{"power_w":1},{},{"power_w":2,"circuit":"a"}]`), noon)
	if len(out.Readings) != 3 {
		t.Fatalf("got %d readings, want 3", len(out.Readings))
	}
	a, b, c := out.Readings[0], out.Readings[1], out.Readings[2]
	if a.Start != 0 || a.End != c.Start || b.Start != b.End || c.End != len(dst) {
		t.Errorf("places are %+v %+v %+v in %d bytes", a, b, c, len(dst))
	}
	if a.Series != 0 || c.Series == 0 || a.Identified {
		t.Errorf("got %+v and %+v, want a series only for the second", a, c)
	}
}

func TestKeyIdentifiesAReading(t *testing.T) {
	decode := func(payload string, received time.Time) Reading {
		var d Decoder
		_, out := d.Reading(nil, meter, meterDevice, []byte(payload), received)
		if len(out.Readings) != 1 || out.Code != "" {
			t.Fatalf("%s: %s", payload, summary(out))
		}
		return out.Readings[0]
	}
	const first = `{"ts":1793592000000,"seq":7,"power_w":312.5}`
	for _, test := range []struct {
		name, a, b string
		same       bool
	}{
		{"again", first, first, true},
		{"same ts and seq in another layout", first, `{"seq":7,"ts":"2026-11-02T04:00:00Z","power_w":312.5}`, true},
		{"another seq", first, `{"ts":1793592000000,"seq":8,"power_w":312.5}`, false},
		{"another ts", first, `{"ts":1793592000001,"seq":7,"power_w":312.5}`, false},
		{"another series", first, `{"ts":1793592000000,"seq":7,"circuit":"a","power_w":312.5}`, false},
		{"bytes without seq", `{"ts":1793592000000,"power_w":1}`, `{"ts":1793592000000,"power_w":1}`, true},
		{"other bytes without seq", `{"ts":1793592000000,"power_w":1}`, `{"ts":1793592000000,"power_w":2}`, false},
		{"seq without ts", `{"seq":1,"power_w":1}`, `{"seq":1,"power_w":1}`, true},
		{"seq begins again without ts", `{"seq":1,"power_w":1}`, `{"seq":1,"power_w":2}`, false},
	} {
		if got := decode(test.a, noon).Key == decode(test.b, noon.Add(time.Minute)).Key; got != test.same {
			t.Errorf("%s: keys equal: %v, want %v", test.name, got, test.same)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, test := range []struct{ name, payload string }{
		{"5 fields", `{"ts":1793592000000,"seq":123456,"power_w":312.5,"voltage_l1_v":226.4,"current_l1_a":5.31,"frequency_hz":50.01,"energy_import_kwh":1234.56}`},
		{"5 fields RFC 3339 without seq", `{"ts":"2026-11-02T12:00:00.123+08:00","power_w":312.5,"voltage_l1_v":226.4,"current_l1_a":5.31,"frequency_hz":50.01,"energy_import_kwh":1234.56}`},
		{"17 digits", `{"ts":1793592000000,"seq":123456,"power_w":312.50000000000006,"voltage_l1_v":226.40000000000003,"current_l1_a":5.3100000000000005,"frequency_hz":50.010000000000005,"energy_import_kwh":1234.5600000000002}`},
	} {
		b.Run(test.name, func(b *testing.B) {
			var d Decoder
			payload, dst := []byte(test.payload), make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				var out Outcome
				if dst, out = d.Reading(dst[:0], meter, meterDevice, payload, noon); len(dst) == 0 || out.Code != "" {
					b.Fatal(summary(out))
				}
			}
		})
	}
}
