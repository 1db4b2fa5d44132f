package seeds

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/devices"
	"linli/people"
)

func load(t testing.TB) map[string]*Community {
	t.Helper()
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*Community{}
	for i, c := range all {
		if c.ID != IDs[i] {
			t.Fatalf("community %d is %q, want %q", i, c.ID, IDs[i])
		}
		out[c.ID] = c
	}
	return out
}

func TestFullScaleFleetIsTheOneOfTheMissionTable(t *testing.T) {
	elders := func(kit ...string) map[string]int {
		n := map[string]int{"ev_charger": 20, "waste_container": 20, "street_light": 150, "edge_gateway": 5}
		for _, k := range kit {
			n[k] = 60
		}
		return n
	}
	with := func(n map[string]int, kind string, count int) map[string]int { n[kind] = count; return n }
	xingtai := elders("sos_button", "smoke_detector", "presence_radar", "wearable_band")
	xingtai["water_leak_sensor"], xingtai["water_level_sensor"], xingtai["service_terminal"] = 8, 6, 2
	jinchang := elders("sos_button", "smoke_detector", "wearable_band")
	jinchang["ebike_charger"], jinchang["heat_meter"], jinchang["gas_meter"], jinchang["indoor_environment"] = 6, 6, 6, 6
	want := map[string]map[string]int{
		"tianjin": {
			"waste_station": 21, "waste_conveyance": 1, "electricity_meter": 7558 + 80, "water_meter": 7558, "pv_inverter": 1,
			"parking_sensor": 3, "water_level_sensor": 12, "environment_station": 2, "edge_gateway": 20 + 35,
		},
		"xingtai": xingtai,
		"hegang": {
			"wearable_band": 140, "sos_button": 140, "presence_radar": 140, "contact_sensor": 140, "smoke_detector": 140,
			"gas_detector": 140, "access_controller": 195, "lpr_camera": 12,
		},
		"nantong": {"people_counter": 2, "access_controller": 129, "waste_container": 28, "water_level_sensor": 6},
		"ningbo": {
			"falling_object_camera": 48, "fire_lane_camera": 24, "thermal_camera": 24, "environment_station": 6,
			"video_camera": 18, "water_level_sensor": 4,
		},
		"nanchang": {"ebike_charger": 12, "fire_equipment": 12, "smoke_detector": 12, "thermal_camera": 12},
		"zhuhai": {
			"parking_sensor": 500, "ev_charger": 100, "bus_tracker": 2, "public_display": 4, "access_controller": 160,
			"video_camera": 300, "edge_gateway": 5 + 19,
		},
		"xingyi":   with(elders("sos_button", "smoke_detector", "wearable_band"), "fire_equipment", 1),
		"kaiyuan":  with(elders("sos_button", "smoke_detector", "presence_radar", "wearable_band"), "environment_station", 1),
		"jinchang": jinchang,
	}
	for id, c := range load(t) {
		got := map[string]int{}
		for _, d := range c.Fleet(1) {
			got[d.Type]++
		}
		if diff := cmp.Diff(want[id], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestPlacesAndSeriesAreTheOnesOfTheMissionTable(t *testing.T) {
	type figures struct{ Estates, Buildings, Units, Sockets, Connectors, Inlets, Nodes, Elders int }
	want := map[string]figures{
		"tianjin":  {Estates: 7, Buildings: 126, Units: 252, Inlets: 84, Nodes: 61},
		"xingtai":  {Estates: 8, Buildings: 64, Units: 192, Connectors: 20, Elders: 60},
		"hegang":   {Estates: 3, Buildings: 65, Units: 195, Elders: 140},
		"nantong":  {Estates: 7 + 3 + 1, Buildings: 43, Units: 129},
		"ningbo":   {Estates: 8, Buildings: 48, Units: 96},
		"nanchang": {Estates: 3, Buildings: 43, Units: 86, Sockets: 120},
		"zhuhai":   {Estates: 6 + 1 + 1, Buildings: 140, Units: 280, Connectors: 100},
		"xingyi":   {Estates: 1, Buildings: 59, Units: 121, Connectors: 20, Elders: 60},
		"kaiyuan":  {Estates: 5, Buildings: 30, Units: 60, Connectors: 20, Elders: 60},
		"jinchang": {Estates: 6, Buildings: 48, Units: 144, Sockets: 60, Connectors: 20, Elders: 60},
	}
	for id, c := range load(t) {
		got := figures{Estates: len(c.Estates), Elders: len(withRole(c.People(1), people.Elder))}
		for _, e := range c.Estates {
			got.Buildings += len(e.Buildings)
			for _, b := range e.Buildings {
				got.Units += len(b.Units)
			}
		}
		for _, d := range c.Fleet(1) {
			got.Sockets += len(d.Series["socket"])
			got.Connectors += len(d.Series["connector"])
			got.Inlets += len(d.Series["inlet"])
			got.Nodes += len(d.Series["node"])
		}
		if diff := cmp.Diff(want[id], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestEveryFleetIsSoundAtEveryScale(t *testing.T) {
	all := load(t)
	full := map[string]map[string]bool{}
	for id, c := range all {
		full[id] = map[string]bool{}
		for _, d := range c.Fleet(1) {
			full[id][d.Type] = true
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := all[rapid.SampledFrom(IDs).Draw(t, "community")]
		scale := rapid.Float64Range(0.001, 0.2).Draw(t, "scale")
		if rapid.IntRange(0, 20).Draw(t, "whole") == 20 {
			scale = 1
		}
		types, children, homes := map[string]bool{}, map[string]int{}, map[string]int{}
		seen := map[string]devices.Device{}
		fleet := c.Fleet(scale)
		for _, d := range fleet {
			if _, twice := seen[d.ID]; twice || !devices.ValidID(d.ID) || d.Community != c.ID {
				t.Fatalf("device %q of %q: twice, no identifier or of another community", d.ID, d.Community)
			}
			if d.Gateway != "" {
				gw, known := seen[d.Gateway]
				if !known || gw.Gateway != "" {
					t.Fatalf("%s: gateway %q does not come before it or has a gateway itself", d.ID, d.Gateway)
				}
				if children[d.Gateway]++; children[d.Gateway] > 500 {
					t.Fatalf("%s has more than 500 children at scale %g", d.Gateway, scale)
				}
			}
			seen[d.ID] = d.Device
			types[d.Type] = true
			homes[d.Home]++
		}
		if diff := cmp.Diff(full[c.ID], types); diff != "" {
			t.Fatalf("types at scale %g (-full +got):\n%s", scale, diff)
		}
		for home, n := range homes {
			if home != "" && c.ID == "hegang" && n != 6 {
				t.Fatalf("home %s has %d devices", home, n)
			}
		}
		if !reflect.DeepEqual(fleet, c.Fleet(scale)) {
			t.Fatalf("a second expansion at scale %g differs", scale)
		}
	})
}

func TestEveryEstateIsOnItsPlan(t *testing.T) {
	for _, c := range load(t) {
		for _, e := range c.Estates {
			if !slices.ContainsFunc(c.Plan.Shapes, func(s devices.Shape) bool { return s.Estate == e.ID }) {
				t.Errorf("%s: estate %s is not on the plan", c.ID, e.ID)
			}
		}
		for i, d := range c.Fleet(1) {
			if p := d.Place; p.Estate == "" && !slices.ContainsFunc(c.Plan.Shapes, func(s devices.Shape) bool { return s.Zone == p.Zone }) {
				t.Errorf("%s: device %d, %s, is at zone %q, which is not on the plan", c.ID, i, d.ID, p.Zone)
			}
		}
	}
}

func TestScaleShrinksButNeverToNothing(t *testing.T) {
	for _, row := range []struct {
		n     int
		scale float64
		want  int
	}{{1, 0.05, 1}, {20, 0.05, 1}, {21, 0.05, 2}, {140, 0.05, 7}, {7558, 0.05, 378}, {7558, 1, 7558}, {12, math.SmallestNonzeroFloat64, 1}, {12, 3, 12}} {
		if got := scaled(row.n, row.scale); got != row.want {
			t.Errorf("%d at %s: got %d, want %d", row.n, fmt.Sprint(row.scale), got, row.want)
		}
	}
}

func TestMistakesInACommunityAreNamed(t *testing.T) {
	const head = "id: x\nname: {zh: 甲, en: X}\nestates:\n- {id: e1, name: {zh: 一, en: One}, buildings: [{count: 2, units: 2}]}\n"
	for _, row := range []struct{ yaml, want string }{
		{"colour: red\n", "x.yaml: yaml: unmarshal errors:\n  line 5: field colour not found in type seeds.file"},
		{"fleet: [{group: A, count: 1, devices: [{type: t}]}]\n", `x.yaml: group "A": want an identifier, a count and devices`},
		{"fleet: [{group: a, count: 0, devices: [{type: t}]}]\n", `x.yaml: group "a": want an identifier, a count and devices`},
		{"fleet: [{group: a, count: 1, devices: [{type: t}]}, {group: a, count: 1, devices: [{type: t}]}]\n", `x.yaml: group "a" is there twice`},
		{"fleet: [{group: a, count: 1, gateway: b, devices: [{type: t}]}]\n", `x.yaml: group "a": gateway "b" is no earlier group of one device`},
		{"fleet: [{group: a, count: 1, at: floor, devices: [{type: t}]}]\n", `x.yaml: group "a": no place at "floor" in ""`},
		{"fleet: [{group: a, count: 1, at: unit, in: e2, devices: [{type: t}]}]\n", `x.yaml: group "a": no place at "unit" in "e2"`},
		{"fleet: [{group: a, count: 1, devices: [{type: t}, {type: t}]}]\n", `x.yaml: group "a": devices of a kit need distinct ids, a single device none: ""`},
		{"fleet: [{group: a, count: 1, devices: [{id: m, type: t, gateway: n}, {id: n, type: t}]}]\n", `x.yaml: group "a": gateway "n" of "m" is no earlier device`},
	} {
		if _, err := Parse("x.yaml", []byte(head+row.yaml)); err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v, want %s", row.yaml, err, row.want)
		}
	}
}

func TestEveryBandKnowsItsHome(t *testing.T) {
	bands := 0
	for id, c := range load(t) {
		if c.Plan == nil {
			t.Fatalf("%s has no plan", id)
		}
		homes := map[[2]float64]string{}
		for _, d := range c.Fleet(1) {
			if d.Type != "wearable_band" {
				continue
			}
			bands++
			home := [2]float64{d.Attributes["home_lat"], d.Attributes["home_lon"]}
			north, east := (home[0]-c.Lat)*MetresPerDegree, (home[1]-c.Lon)*MetresPerDegree*math.Cos(c.Lat*math.Pi/180)
			x, y := c.Plan.Width/2+east, c.Plan.Height/2-north
			estate := slices.IndexFunc(c.Plan.Shapes, func(s devices.Shape) bool { return s.Kind == devices.PlaceShape && s.Estate == d.Place.Estate })
			from, to := corners(c.Plan.Shapes[estate].Points)
			if x < from[0] || x > to[0] || y < from[1] || y > to[1] {
				t.Errorf("%s lives at %.0f, %.0f of the plan, want it in estate %s, %v to %v", d.ID, x, y, d.Place.Estate, from, to)
			}
			building := d.Place.Estate + "/" + d.Place.Building
			if other, taken := homes[home]; taken && other != building {
				t.Errorf("%s and %s stand on the same spot", other, building)
			}
			homes[home] = building
		}
	}
	if bands < 300 {
		t.Errorf("%d bands in ten communities", bands)
	}
}
