package web

import (
	"testing"

	"linli/devices"
)

func TestTheTreeCountsWhatIsInEachPlace(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	c := devices.Community{ID: "garden", Name: devices.Text{ZH: "花园"}, Estates: []devices.Estate{{
		ID: "e1", Name: devices.Text{ZH: "一期", EN: "One"}, Buildings: []devices.Building{{ID: "b1", Units: []string{"u1", "u2"}}, {ID: "b2"}},
	}}}
	if err := s.web.Registry.AddCommunity(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for id, p := range map[string]devices.Place{
		"d-1": {}, "d-2": {Estate: "e1"}, "d-3": {Estate: "e1", Building: "b1"}, "d-4": {Estate: "e1", Building: "b1", Unit: "u1"},
	} {
		if _, err := s.web.Registry.AddDevice(t.Context(), devices.Device{ID: id, Community: "garden", Type: "sos_button", Place: p}); err != nil {
			t.Fatal(err)
		}
	}
	got := ask[communityTree](s, 200, "GET", "/api/v1/communities/garden/tree", "")
	b := got.Estates[0].Buildings
	if got.Devices != 4 || got.Estates[0].Devices != 3 || b[0].Devices != 2 || b[0].Units[0].Devices != 1 || b[0].Units[1].Devices != 0 || b[1].Devices != 0 {
		t.Errorf("tree %+v", got)
	}
}
