package devices

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/influxdata/influxdb/models"
	"pgregory.net/rapid"
)

// parsed is a line as InfluxDB understands it.
type parsed struct {
	Measurement string
	Tags        map[string]string
	Fields      map[string]any
	Time        int64
}

// influx reads lines with the parser of the database.
func influx(t testing.TB, lines []byte) []parsed {
	t.Helper()
	points, err := models.ParsePoints(bytes.Clone(lines))
	if err != nil {
		t.Fatalf("InfluxDB: %v in\n%s", err, lines)
	}
	var all []parsed
	for _, p := range points {
		fields, err := p.Fields()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsed{string(p.Name()), p.Tags().Map(), fields, p.Time().UnixNano()})
	}
	return all
}

// ours reads lines with Line.
func ours(t testing.TB, lines []byte) []parsed {
	t.Helper()
	var all []parsed
	var l Line
	for rest := lines; len(rest) > 0; {
		var err error
		if rest, err = l.Parse(rest); err != nil {
			t.Fatalf("%v in\n%s", err, lines)
		}
		p := parsed{string(l.Measurement), map[string]string{}, map[string]any{}, l.Time}
		for _, tag := range l.Tags {
			p.Tags[string(tag.Key)] = string(tag.Value)
		}
		for _, f := range l.Fields {
			p.Fields[string(f.Key)] = fieldValue(t, f)
		}
		all = append(all, p)
	}
	return all
}

func fieldValue(t testing.TB, f Pair) any {
	if v, ok := f.Bool(); ok {
		return v
	}
	if v, ok := f.Text(); ok {
		return string(v)
	}
	if v, ok := f.Int(); ok {
		return v
	}
	v, ok := f.Float()
	if !ok {
		t.Fatalf("field %s has no type: %s", f.Key, f.Value)
	}
	return v
}

func TestLineIsReadAsInfluxDBReadsIt(t *testing.T) {
	number := rapid.OneOf(
		rapid.Map(rapid.Float64Range(-1e6, 1e6), func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }),
		rapid.Map(rapid.Int64(), func(v int64) string { return strconv.FormatInt(v, 10) }),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?`),
	)
	rapid.Check(t, func(r *rapid.T) {
		any, label := number.Draw(r, "any"), rapid.String().Draw(r, "label")
		escaped := strings.ReplaceAll(strconv.QuoteToGraphic(label), `\x`, `\u00`)
		payload := `{"seq":1,"relay_closed":true,"any":` + any + `,"circuit":"` + rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,20}`).Draw(r, "tag") +
			`","label":` + escaped + `}`
		var d Decoder
		lines, out := d.Reading(nil, meter, meterDevice, []byte(payload), noon)
		if out.Code != "" {
			r.Skip("not JSON:", summary(out)) // \a and \U escapes of Go
		}
		want := influx(t, lines)
		if diff := cmp.Diff(want, ours(t, lines)); diff != "" {
			r.Fatalf("line %s (-InfluxDB +ours):\n%s", lines, diff)
		}
		if v, err := strconv.ParseFloat(any, 64); err == nil && want[0].Fields["any"] != v {
			r.Fatalf("%s is stored as %v, want %v", any, want[0].Fields["any"], v)
		}
		if got, ok := want[0].Fields["label"]; ok && got != label {
			r.Fatalf("%q is stored as %q", label, got)
		}
	})
}

func TestEscapedLine(t *testing.T) {
	in := `a\,b,t\=1=x\ y\,z f="a, b=\"c\"\\",g=1 17` + "\n" + `m f=-2i -5`
	var l Line
	rest, err := l.Parse([]byte(in))
	if err != nil || string(l.Measurement) != `a\,b` || string(l.Tag(`t\=1`)) != `x\ y\,z` || l.Time != 17 || len(l.Fields) != 2 {
		t.Fatalf("got %v, %s %s %d %s", err, l.Measurement, l.Tags, l.Time, l.Fields)
	}
	if v, ok := l.Field("f").Text(); !ok || string(v) != `a, b="c"\` {
		t.Errorf("text is %q", v)
	}
	if rest, err = l.Parse(rest); err != nil || len(rest) != 0 || l.Time != -5 || len(l.Tags) != 0 {
		t.Fatalf("second line: %v, rest %q, %+v", err, rest, l)
	}
	if v, ok := l.Field("f").Float(); !ok || v != -2 {
		t.Errorf("number is %v", v)
	}
	if _, ok := l.Field("none").Float(); ok || l.Tag("none") != nil {
		t.Error("found what is not there")
	}
}

func TestBrokenLinesAreRefused(t *testing.T) {
	for _, in := range []string{"", "\n", "m", "m ", "m f", "m f=", "m f=1", "m f=1 ", "m f=1 x", "m,t f=1 1", "m,t= f=1 1", "m,=x f=1 1", "m f=\"a 1", "m f=1, 1", "m f=1\nm f=2 1", ",t=1 f=1 1"} {
		if _, err := new(Line).Parse([]byte(in)); err == nil {
			t.Errorf("%q was read", in)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		head + ` power_w=1,label="a\"b\\",received_at=1793592000000i 1793592000000000001` + "\n", "m f=1 1", `m\,,t=\ f=t -1`, `#x f=1 1`, `m\ f=1 1`, `m,t=a\ f=1 1`, "m f=1e400 1",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var l Line
		rest, err := l.Parse(in)
		if err != nil {
			return
		}
		if len(rest) >= len(in) || len(l.Fields) == 0 {
			t.Fatalf("%q leaves %q with %d fields", in, rest, len(l.Fields))
		}
		for _, p := range l.Fields {
			p.Float()
			p.Int()
			p.Bool()
			p.Text()
		}
	})
}

// check holds for whatever the decoder makes of any bytes.
func check(t *testing.T, lines []byte, out Outcome, received time.Time) {
	stored := 0
	for _, r := range out.Readings {
		if r.End > r.Start {
			stored++
		}
	}
	if len(lines) == 0 {
		if stored > 0 {
			t.Fatalf("%d readings without lines", stored)
		}
		return
	}
	theirs := influx(t, lines)
	if len(theirs) != stored {
		t.Fatalf("%d lines for %d readings:\n%s", len(theirs), stored, lines)
	}
	if diff := cmp.Diff(theirs, ours(t, lines)); diff != "" {
		t.Fatalf("(-InfluxDB +ours):\n%s", diff)
	}
	for _, p := range theirs {
		at := time.Unix(0, p.Time)
		if at.Before(received.Add(-MaxAge)) || at.After(received.Add(MaxAhead+time.Millisecond)) {
			t.Fatalf("stored at %v, received at %v", at, received)
		}
		for name, v := range p.Fields {
			if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
				t.Fatalf("%s is %v", name, f)
			}
		}
		if p.Tags["device"] != meterDevice.ID || p.Tags["community"] != meterDevice.Community {
			t.Fatalf("identity changed: %v", p.Tags)
		}
	}
}

var seedPayloads = []string{
	``, `{}`, `[]`, `[{}]`, `{"ts":1793592000000,"seq":7,"power_w":312.5,"relay_closed":true,"phase":"single","label":"x","circuit":"a"}`,
	`[{"ts":"2026-11-02T12:00:00+08:00","power_w":1},{"ts":1793591999,"boot":1,"power_w":2}]`, `{"power_w":NaN}`, `{"any":1e400}`, `{"any":-0}`, `{"any":9007199254740993}`,
	`{"starts":1e3,"any":0.1e-330}`, `{"label":"\ud83d\ude00\ud800"}`, "\ufeff{}", "{\"label\":\"\xff\xfe\"}", `{"label":"a\nb\\","device":"other","community":"x","time":1}`,
	strings.Repeat(`[`, 100), strings.Repeat(`{"x":`, 100), `{"power_w":1,"power_w":2}`, `{"ts":-1}`, `{"ts":253402300799000}`, `{"seq":18446744073709551615}`, `{"circuit":"a,b=c d"}`, `{"circuit":""}`,
}

func FuzzReading(f *testing.F) {
	for _, seed := range seedPayloads {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var d Decoder
		lines, out := d.Reading(nil, meter, meterDevice, payload, noon)
		if (out.Code != "") != (len(out.Readings) == 0) {
			t.Fatalf("code %q with %d readings", out.Code, len(out.Readings))
		}
		check(t, lines, out, noon)
	})
}

func FuzzEvent(f *testing.F) {
	for _, seed := range seedPayloads {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, payload []byte, safety bool) {
		event := "cover_opened"
		if safety {
			event = "sos"
		}
		var d Decoder
		lines, out := d.Event(nil, meter, meterDevice, event, payload, noon)
		if (len(lines) > 0) != (out.Code == "" || safety) {
			t.Fatalf("code %q with lines %q", out.Code, lines)
		}
		check(t, lines, out, noon)
	})
}

func BenchmarkParseLine(b *testing.B) {
	line := []byte(head + " power_w=312.5,voltage_l1_v=226.4,current_l1_a=5.31,frequency_hz=50.01,energy_import_kwh=1234.56,received_at=1793592000000i,seq=123456i 1793592000000123456\n")
	var l Line
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}
