package alerts

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"linli/devices"
)

func fenceRules(t *testing.T) *Rules {
	t.Helper()
	data, err := os.ReadFile("testdata/fence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return rulesOf(t, string(data))
}

// TestDistances compares with distances on the ellipsoid WGS-84 (Vincenty), within what the sphere may be wrong by.
func TestDistances(t *testing.T) {
	for _, c := range []struct {
		from, to point
		want     float64
	}{
		{point{39.1, 117.7}, point{39.1, 117.7}, 0},
		{point{0, 0}, point{0, 1}, 111_319.5},
		{point{39, 117.7}, point{40, 117.7}, 111_026.0},
		{point{39.1, 117.7}, point{39.1, 117.71}, 865.0},
		{point{39.9042, 116.4074}, point{31.2304, 121.4737}, 1_065_900},
	} {
		if got := distance(c.from, c.to); math.Abs(got-c.want) > 0.006*c.want {
			t.Errorf("%v to %v: got %.1f m, want %.1f", c.from, c.to, got, c.want)
		}
	}
}

func TestHowFarOutsideAPolygon(t *testing.T) {
	// An L: the square of a hundredth of a degree at (39.10, 117.70) and its neighbours to the north and the east.
	l := []point{{39.10, 117.70}, {39.10, 117.72}, {39.11, 117.72}, {39.11, 117.71}, {39.12, 117.71}, {39.12, 117.70}}
	for _, c := range []struct {
		what string
		at   point
		want float64
	}{
		{"in the corner", point{39.105, 117.705}, -math.Hypot(0, 432)},
		{"on an edge", point{39.10, 117.715}, 0},
		{"north of the arm to the east", point{39.111, 117.715}, 111.2},
		{"in the notch, nearer to the arm to the north", point{39.115, 117.711}, 86.3},
		{"south", point{39.099, 117.715}, 111.2},
		{"off the corner", point{39.099, 117.699}, math.Hypot(111.2, 86.3)},
		{"far away", point{39.10, 117.80}, 6903},
	} {
		got := outsidePolygon(c.at, l)
		if math.Abs(got-c.want) > 0.01*math.Abs(c.want)+0.5 {
			t.Errorf("%s: got %.1f m, want %.1f", c.what, got, c.want)
		}
		for i := range l { // where a ring begins and which way it goes is of no matter
			turned := append(append([]point{}, l[i:]...), l[:i]...)
			back := make([]point, len(l))
			for j, p := range turned {
				back[len(l)-1-j] = p
			}
			for _, ring := range [][]point{turned, back} {
				if again := outsidePolygon(c.at, ring); math.Abs(again-got) > 1e-6 {
					t.Errorf("%s: got %.3f m from another corner, %.3f before", c.what, again, got)
				}
			}
		}
	}
}

// TestAFixMustBeSure: what may be on either side of the edge says nothing.
func TestAFixMustBeSure(t *testing.T) {
	f := fence{zones: []zone{{center: point{39.1, 117.7}, radius: 200}}}
	north := func(m float64) point { return point{39.1 + m/(earthRadius*radian), 117.7} }
	for _, c := range []struct {
		from, accuracy, want float64
		known                bool
	}{
		{250, 0, 50, true},
		{250, 20, 30, true},
		{250, 50, 0, false},
		{250, 49, 1, true},
		{150, 0, -50, true},
		{150, 20, -30, true},
		{150, 51, 0, false},
		{0, 150, -50, true},
		{200, 10, 0, false},
	} {
		at := north(c.from)
		got, known := f.outside(&bucket{x: at.lat, y: at.lon, covered: uint32(c.accuracy * 10)}, nil)
		if got != c.want || known != c.known {
			t.Errorf("%g m away within %g m: got %g %v, want %g %v", c.from, c.accuracy, got, known, c.want, c.known)
		}
	}
}

func TestFenceExamplesShowTheirFigures(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules := fenceRules(t)
	r := rules.Rule("f_home")
	if err := r.Replay(); err != nil {
		t.Error(err)
	}
	for what, mutant := range mutations(cat, r) {
		if examplesPass(t, cat, rules, mutant) {
			t.Errorf("no example notices %s", what)
		}
	}
}

func TestWhatAFenceSays(t *testing.T) {
	w := newTold(t)
	rules := fenceRules(t)
	w.core = newCore(rules, w.people)
	w.say("p1 0s lat=39.102,lon=117.7,accuracy_m=5", "p1 1m lat=39.102,lon=117.7,accuracy_m=5")
	w.of("f_home")
	a := w.last()
	if a.Value != 67.4 || a.Unit != "m" || !strings.Contains(a.Text.ZH, "离开范围 67.4 m") || !strings.Contains(a.Text.EN, "Outside by 67.4 m") {
		t.Errorf("value %v %s, text %v", a.Value, a.Unit, a.Text)
	}
	why := func(device string) string {
		for _, x := range rules.Why(w.people.Device(device), w.people) {
			if x.Rule == "f_home" {
				return x.Why
			}
		}
		return "no such rule"
	}
	if got := why("p1"); got != "" {
		t.Errorf("p1: %s", got)
	}
	if got := why("p2"); !strings.Contains(got, "home_lat") {
		t.Errorf("p2, whose home is not known: %q", got)
	}
}

// TestAFenceShowsWhatIsSure: an alert that the clock opens shows the last fix that said something.
func TestAFenceShowsWhatIsSure(t *testing.T) {
	w := newTold(t)
	w.core = newCore(fenceRules(t), w.people)
	w.say("p1 0s lat=39.102,lon=117.7,accuracy_m=5", "p1 1m lat=39.102,lon=117.7,accuracy_m=500")
	w.wall(3 * time.Minute)
	w.of("f_home")
	if a := w.last(); a.Value != 67.4 {
		t.Errorf("value %v, want 67.4", a.Value)
	}
}

// TestAnOverrideSetsAZone gives one device a polygon of its own.
func TestAnOverrideSetsAZone(t *testing.T) {
	data, err := os.ReadFile("testdata/fence.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := newTold(t)
	w.core = newCore(rulesOf(t, string(data)+`overrides:
- {rule: f_home, device: p1, reason: a garden, set: {zone: {polygon: [[39.1, 117.7], [39.2, 117.7], [39.2, 117.8]]}, fixes: 1}}
`), w.people)
	w.people.devices["p2"].Attributes = map[string]float64{"home_lat": 39.1, "home_lon": 117.7}
	w.people.devices["p2"].Person = ""
	w.say("p1 0s lat=39.17,lon=117.72", "p2 0s lat=39.17,lon=117.72", "p2 1m lat=39.17,lon=117.72", "p1 60m lat=39.1,lon=117.75")
	w.of("f_home")
	var got []string
	for _, ev := range w.book.out {
		got = append(got, ev.Alert.Device+" "+formatOffset(ev.At.Sub(start))+" "+ev.Kind)
	}
	w.expectLines([]string{"p2 1m opened", "p1 1h opened"}, got)
}

func TestMistakesInZonesAreNamed(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	const rule = `rules:
- {id: site_fence, name: {zh: 围栏, en: Fence}, kind: geofence, type: probe, severity: low, category: security, basis: judgement, ZONE}
`
	for said, want := range map[string]string{
		"fixes: 2":    `key "zone" is missing`,
		"zone: house": "want a mapping",
		"zone: {lat: 39.1, lon: 117.7, radius_m: 99}":                    "radius_m is 99, want 100 to 100000",
		"zone: {lat: 117.7, lon: 39.1, radius_m: 300}":                   "lat 117.7, lon 39.1 is no place for a probe",
		"zone: {polygon: [[39.1, 117.7], [39.2, 117.7]]}":                "a polygon has 3 to 200 points",
		"zone: {polygon: [[39.1, 117.7], [39.2, 117.7], [37.2, 117.8]]}": "37.2, 117.8 is far from the first point",
		"zone: {polygon: [[39.1, 117.7], [39.2, 117.7], [39.2]]}":        "want a point such as",
		"zone: home, fixes: 9":                                           "fixes: want 1 to 8",
		"zone: home, when: outside > 3.0":                                "undeclared reference to 'outside'",
		"zone: home, night: late":                                        "want a window such as",
		"zone: [home, {lat: 39.1}]":                                      `key "lon" is missing`,
	} {
		_, err := load(cat, []file{{"site.yaml", []byte(strings.Replace(rule, "ZONE", said, 1))}}, nil)
		if err == nil || !strings.Contains(err.Error(), "site.yaml:2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", said, err, want)
		}
	}
	band, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	said := strings.NewReplacer("ZONE", "zone: home", "probe", "wearable_band").Replace(rule)
	if _, err := load(band, []file{{"site.yaml", []byte(said)}}, nil); err != nil {
		t.Error("a wristband has a home:", err)
	}
}
