package devices_test

import (
	"errors"
	"testing"

	"linli/devices"
)

func TestCommunities(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	if c := s.Community("south"); c.Name.ZH != "South" {
		t.Errorf("name is %+v, want the one language for both", c.Name)
	}
	if err := s.AddCommunity(ctx, devices.Community{ID: "south", Name: devices.Text{EN: "South"}}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := s.AddCommunity(ctx, devices.Community{ID: "south", Name: devices.Text{EN: "Süd"}}); !errors.Is(err, devices.ErrExists) {
		t.Errorf("another of the same id: %v", err)
	}
	if err := s.PutCommunity(ctx, devices.Community{ID: "south", Name: devices.Text{EN: "Süd"}, Timezone: "Asia/Urumqi"}); err != nil || s.Community("south").Name.EN != "Süd" {
		t.Errorf("replaced: %v", err)
	}
	for want, c := range map[string]devices.Community{
		`id "" is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit`: {Name: devices.Text{EN: "X"}},
		`timezone "Moon" is not known`:          {ID: "x", Name: devices.Text{EN: "X"}, Timezone: "Moon"},
		`lat, lon "91, 0" is no place on earth`: {ID: "x", Name: devices.Text{EN: "X"}, Lat: 91},
		`estate "e" is there twice`:             {ID: "x", Name: devices.Text{EN: "X"}, Estates: []devices.Estate{{ID: "e", Name: devices.Text{ZH: "一", EN: "1"}}, {ID: "e", Name: devices.Text{ZH: "二", EN: "2"}}}},
	} {
		var invalid *devices.InvalidError
		if err := s.AddCommunity(ctx, c); !errors.As(err, &invalid) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if len(s.Communities()) != 2 {
		t.Errorf("%d communities", len(s.Communities()))
	}
}

func TestPlans(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	one := devices.Text{ZH: "一", EN: "1"}
	community := func(shapes ...devices.Shape) devices.Community {
		return devices.Community{
			ID: "north", Name: devices.Text{EN: "North"}, Estates: []devices.Estate{{ID: "e1", Name: one, Buildings: []devices.Building{{ID: "b1"}, {ID: "b2"}}}},
			Plan: &devices.Plan{Width: 100, Height: 50, Shapes: shapes},
		}
	}
	box := [][2]float64{{0, 0}, {10, 10}}
	for want, shape := range map[string]devices.Shape{
		`plan shape 1 "moat" is not one of [place road water green square]`:                       {Kind: "moat", Points: box},
		`estate "e2" is not in community "north"`:                                                 {Kind: devices.PlaceShape, Estate: "e2", Points: box},
		`plan shape 1 "place" names an estate, a building or a zone if and only if it is a place`: {Kind: devices.PlaceShape, Points: box},
		`plan shape 1 "1 points" are not 2 to 200`:                                                {Kind: devices.Green, Points: box[:1]},
		`plan shape 1 "[10, 60]" is not on the plan of 100 m × 50 m`:                              {Kind: devices.Water, Points: [][2]float64{{0, 0}, {10, 60}}},
		`plan shape 1 "0 m wide" a road has a width, and nothing else has`:                        {Kind: devices.Road, Points: box},
		`plan shape 1 "=1+1" begins like a spreadsheet formula`:                                   {Kind: devices.Green, Name: devices.Text{ZH: "=1+1"}, Points: box},
	} {
		if err := s.PutCommunity(ctx, community(shape)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := s.PutCommunity(ctx, community(devices.Shape{Kind: devices.PlaceShape, Estate: "e1", Building: "b1", Points: box}, devices.Shape{Kind: devices.Road, Width: 4, Points: box})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddDevice(ctx, devices.Device{ID: "band", Community: "north", Type: "bin", Place: devices.Place{Estate: "e1", Building: "b2"}}); err != nil {
		t.Fatal(err)
	}
	smaller := community()
	smaller.Estates[0].Buildings = smaller.Estates[0].Buildings[:1]
	if err := s.PutCommunity(ctx, smaller); err == nil || err.Error() != `device "band" is there: building "b2" is not in estate "e1"` {
		t.Errorf("a building with a device was left out: %v", err)
	}
}
