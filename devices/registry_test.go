package devices_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
)

func TestAddedDeviceMayConnectAtOnce(t *testing.T) {
	s := newSite(t)
	secret := s.add(t, bin("wb-1"))
	d := s.Device("wb-1")
	if d == nil || d.State != devices.Active || d.Created.IsZero() {
		t.Fatalf("device is %+v", d)
	}
	if len(secret.Reveal()) != 32 || !s.Verify(d, secret.Reveal()) {
		t.Errorf("secret of %d characters is refused", len(secret.Reveal()))
	}
	for _, wrong := range []string{"", secret.Reveal() + "x", strings.ToUpper(secret.Reveal())} {
		if s.Verify(d, wrong) {
			t.Errorf("%q is accepted", wrong)
		}
	}
	if s.Verify(nil, secret.Reveal()) || s.Verify(nil, "") || s.Verify(&devices.Device{ID: "wb-1", State: devices.Active}, "") {
		t.Error("a device without a secret is let in")
	}
	stolen := *d
	stolen.ID = "wb-2"
	if s.Verify(&stolen, secret.Reveal()) {
		t.Error("a hash copied to another device is accepted")
	}
}

func TestAddingTwice(t *testing.T) {
	s := newSite(t)
	full := devices.Device{
		ID: "d1", Community: "north", Type: "bin", Name: "门口", Place: devices.Place{Estate: "e1", Building: "b1", Unit: "u2", Zone: "roof"},
		Tags: map[string]string{"care": "dementia"}, Attributes: map[string]float64{"depth_cm": 90}, Person: "p1",
	}
	secret := s.add(t, full)
	again, err := s.AddDevice(t.Context(), full)
	if err != nil || again != "" || !s.Verify(s.Device("d1"), secret.Reveal()) {
		t.Errorf("the same again: secret of %d characters, %v", len(again.Reveal()), err)
	}
	for field, change := range map[string]func(*devices.Device){
		"community":  func(d *devices.Device) { d.Community = "south" },
		"type":       func(d *devices.Device) { d.Type = "other" },
		"name":       func(d *devices.Device) { d.Name = "" },
		"zone":       func(d *devices.Device) { d.Place.Zone = "" },
		"estate":     func(d *devices.Device) { d.Place.Estate = "e2" },
		"tags":       func(d *devices.Device) { d.Tags = nil },
		"attributes": func(d *devices.Device) { d.Attributes = map[string]float64{"depth_cm": 91} },
		"gateway":    func(d *devices.Device) { d.Gateway = "gw" },
		"person":     func(d *devices.Device) { d.Person = "" },
	} {
		other := full
		change(&other)
		_, err := s.AddDevice(t.Context(), other)
		if want := `device "d1": exists already with another ` + field; !errors.Is(err, devices.ErrExists) || err.Error() != want {
			t.Errorf("another %s: got %v, want %s", field, err, want)
		}
	}
	if diff := cmp.Diff(full.Place, s.Device("d1").Place); diff != "" {
		t.Errorf("place changed:\n%s", diff)
	}
}

func TestConcurrentAddsCreateOnce(t *testing.T) {
	s := newSite(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	created := 0
	for range 16 {
		wg.Go(func() {
			secret, err := s.AddDevice(t.Context(), bin("d1"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if secret != "" {
				created++
				if !s.Verify(s.Device("d1"), secret.Reveal()) {
					t.Error("the secret given out is not the one stored")
				}
			}
		})
	}
	wg.Wait()
	if created != 1 {
		t.Errorf("created %d times", created)
	}
}

func TestInvalidDevicesNameTheField(t *testing.T) {
	s := newSite(t)
	s.add(t, bin("gw"))
	s.add(t, devices.Device{ID: "child", Community: "north", Type: "bin", Gateway: "gw"})
	s.add(t, devices.Device{ID: "gw-south", Community: "south", Type: "bin"})
	s.add(t, bin("gw-gone"))
	if err := s.Revoke(t.Context(), "gw-gone"); err != nil {
		t.Fatal(err)
	}
	place := func(estate, building, unit, zone string) func(*devices.Device) {
		return func(d *devices.Device) {
			d.Place = devices.Place{Estate: estate, Building: building, Unit: unit, Zone: zone}
		}
	}
	for want, change := range map[string]func(*devices.Device){
		`id "A" is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit`:      func(d *devices.Device) { d.ID = "A" },
		`community "west" is not registered`:                                                           func(d *devices.Device) { d.Community = "west" },
		`type "robot" is not in the catalogue`:                                                         func(d *devices.Device) { d.Type = "robot" },
		`name "=cmd()" begins like a spreadsheet formula`:                                              func(d *devices.Device) { d.Name = "=cmd()" },
		`name "-1+cmd|' /C calc'!A0" begins like a spreadsheet formula`:                                func(d *devices.Device) { d.Name = "-1+cmd|' /C calc'!A0" },
		`name "a\nb" has a control character`:                                                          func(d *devices.Device) { d.Name = "a\nb" },
		`name "\u202eabc" has a control character`:                                                     func(d *devices.Device) { d.Name = "\u202eabc" },
		`name "\xff" is not UTF-8 text`:                                                                func(d *devices.Device) { d.Name = "\xff" },
		`tags "inlet" is not a registry tag of type "bin"`:                                             func(d *devices.Device) { d.Tags = map[string]string{"inlet": "1"} },
		`tags "care=rich" is not one of lives_alone, dementia`:                                         func(d *devices.Device) { d.Tags = map[string]string{"care": "rich"} },
		`attributes "depth" is not an attribute of type "bin"`:                                         func(d *devices.Device) { d.Attributes = map[string]float64{"depth": 1} },
		`person "p2" is not registered in community "north"`:                                           func(d *devices.Device) { d.Person = "p2" },
		`gateway "none" is not registered`:                                                             func(d *devices.Device) { d.Gateway = "none" },
		`gateway "gw-south" is in community "south"`:                                                   func(d *devices.Device) { d.Gateway = "gw-south" },
		`gateway "gw-gone" is revoked`:                                                                 func(d *devices.Device) { d.Gateway = "gw-gone" },
		`gateway "child" is behind gateway "gw" itself`:                                                func(d *devices.Device) { d.Gateway = "child" },
		`estate "e9" is not in community "north"`:                                                      place("e9", "", "", ""),
		`building "b1" needs an estate: community "north" has several`:                                 place("", "b1", "", ""),
		`building "b9" is not in estate "e1"`:                                                          place("e1", "b9", "", ""),
		`unit "u9" is not in building "b1"`:                                                            place("e1", "b1", "u9", ""),
		`unit "u1" needs a building`:                                                                   place("e1", "", "u1", ""),
		`zone "Roof" is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit`: place("e1", "b1", "", "Roof"),
	} {
		d := bin("d1")
		change(&d)
		_, err := s.AddDevice(t.Context(), d)
		var invalid *devices.InvalidError
		if !errors.As(err, &invalid) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if s.Device(d.ID) != nil {
			t.Errorf("%s: registered all the same", want)
		}
	}
	for _, good := range []func(*devices.Device){
		place("e1", "b2", "u9", ""), place("e2", "b9", "", "roof"), place("", "", "", "garage-b1"),
		func(d *devices.Device) { d.Name = "-1层车库" },
	} {
		d := bin(fmt.Sprintf("good-%d", len(s.Devices())))
		good(&d)
		s.add(t, d)
	}
}

func TestGatewayHasAtMost500Children(t *testing.T) {
	s := newSite(t)
	var csv strings.Builder
	csv.WriteString("id,community,type,gateway\ngw,north,bin,\n")
	for i := range devices.MaxChildren {
		fmt.Fprintf(&csv, "c%03d,north,bin,gw\n", i)
	}
	if _, err := s.ImportDevices(t.Context(), strings.NewReader(csv.String()), false); err != nil {
		t.Fatal(err)
	}
	child := devices.Device{ID: "one-more", Community: "north", Type: "bin", Gateway: "gw"}
	if _, err := s.AddDevice(t.Context(), child); err == nil || err.Error() != `gateway "gw" has 500 devices behind it already` {
		t.Errorf("got %v", err)
	}
	if err := s.Revoke(t.Context(), "c007"); err != nil {
		t.Fatal(err)
	}
	if ids := s.Children("gw"); len(ids) != 499 || slices.Contains(ids, "c007") || !slices.IsSorted(ids) {
		t.Errorf("%d children after a revoke", len(ids))
	}
	s.add(t, child)
}

func TestRotateAndRevoke(t *testing.T) {
	s := newSite(t)
	first := s.add(t, bin("d1"))
	second, err := s.Rotate(t.Context(), "d1")
	if err != nil || s.Verify(s.Device("d1"), first.Reveal()) || !s.Verify(s.Device("d1"), second.Reveal()) {
		t.Fatalf("after a rotation the old secret is good or the new is not: %v", err)
	}
	for range 2 { // the second time changes nothing
		if err := s.Revoke(t.Context(), "d1"); err != nil || s.Device("d1").State != devices.Revoked || s.Verify(s.Device("d1"), second.Reveal()) {
			t.Fatalf("revoked device is %+v, %v", s.Device("d1"), err)
		}
	}
	if _, err := s.Rotate(t.Context(), "d1"); err == nil {
		t.Error("a revoked device got a new secret")
	}
	if _, err := s.AddDevice(t.Context(), bin("d1")); !errors.Is(err, devices.ErrExists) {
		t.Errorf("adding a revoked device: %v", err)
	}
	for _, id := range []string{"none", "a.b", "*", ""} {
		if _, err := s.Rotate(t.Context(), id); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("rotate %q: %v", id, err)
		}
		if err := s.Revoke(t.Context(), id); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("revoke %q: %v", id, err)
		}
	}
}

func TestReplaceContinuesTheHistory(t *testing.T) {
	s := newSite(t)
	old := devices.Device{
		ID: "gw1", Community: "north", Type: "bin", Name: "门口", Place: devices.Place{Estate: "e1", Building: "b1"},
		Tags: map[string]string{"care": "dementia"}, Attributes: map[string]float64{"depth_cm": 90}, Person: "p1",
	}
	oldSecret := s.add(t, old)
	s.add(t, devices.Device{ID: "child", Community: "north", Type: "bin", Gateway: "gw1"})
	own := s.add(t, bin("gw2")) // registered before it is put in place

	if secret, err := s.Replace(t.Context(), "gw1", "gw2"); err != nil || secret != "" {
		t.Fatalf("secret of %d characters, %v", len(secret.Reveal()), err)
	}
	want := old
	want.ID, want.State, want.Replaces = "gw2", devices.Active, "gw1"
	got := *s.Device("gw2")
	want.SecretHash, want.Created = got.SecretHash, got.Created
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("new device (-want +got):\n%s", diff)
	}
	if d := s.Device("gw1"); d.State != devices.Replaced || d.ReplacedBy != "gw2" || s.Verify(d, oldSecret.Reveal()) || !s.Verify(s.Device("gw2"), own.Reveal()) {
		t.Errorf("old device is %+v", d)
	}
	if s.Device("child").Gateway != "gw2" || len(s.Children("gw1")) != 0 {
		t.Error("the child did not move to the new gateway")
	}

	secret, err := s.Replace(t.Context(), "gw2", "gw3") // registered by this
	if err != nil || !s.Verify(s.Device("gw3"), secret.Reveal()) {
		t.Fatalf("new secret is refused, %v", err)
	}
	if diff := cmp.Diff([]string{"gw3", "gw2", "gw1"}, s.History("gw3")); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"gw1"}, s.History("gw1")); diff != "" {
		t.Errorf("history of the oldest:\n%s", diff)
	}
	if _, err := s.Replace(t.Context(), "gw2", "gw3"); err != nil {
		t.Errorf("the same again: %v", err)
	}

	s.add(t, devices.Device{ID: "elsewhere", Community: "south", Type: "bin"})
	for _, test := range []struct{ old, new, want string }{
		{"none", "x", `device "none": not registered`},
		{"gw3", "X!", `id "X!" is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit`},
		{"gw3", "gw3", `id "gw3" is the device to be replaced`},
		{"gw3", "gw1", `id "gw1" is replaced`},
		{"gw2", "gw9", `id "gw2" is replaced by "gw3"`},
		{"gw3", "elsewhere", `id "elsewhere" is in community "south", not "north"`},
		{"child", "gw3", `id "gw3" replaces "gw2"`},
	} {
		if _, err := s.Replace(t.Context(), test.old, test.new); err == nil || err.Error() != test.want {
			t.Errorf("replace %s by %s: got %v, want %s", test.old, test.new, err, test.want)
		}
	}
}

func TestChangesArriveInOrder(t *testing.T) {
	s := newSite(t)
	s.add(t, bin("d1"))
	if err := s.Revoke(t.Context(), "d1"); err != nil {
		t.Fatal(err)
	}
	// A change was told before the call that made it returned.
	var got []string
	for len(s.changes) > 0 {
		switch c := <-s.changes; {
		case c.Community != "":
			got = append(got, c.Community)
		case c.Old == nil:
			got = append(got, "+"+c.New.ID)
		default:
			got = append(got, fmt.Sprintf("%s %s→%s", c.New.ID, c.Old.State, c.New.State))
		}
	}
	if diff := cmp.Diff([]string{"north", "south", "+d1", "d1 active→revoked"}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestSecondProcessFollows(t *testing.T) {
	s := newSite(t)
	secret := s.add(t, bin("d1"))
	late := openRegistry(t, s.bus)
	if late.Status() == nil {
		t.Error("ready before it runs")
	}
	s.add(t, bin("d2")) // between Open and Run
	run(t, late)
	testkit.Eventually(t, 30*time.Second, func() bool { return late.Device("d2") != nil && late.Status() == nil })
	if !late.Verify(late.Device("d1"), secret.Reveal()) || late.Community("north") == nil {
		t.Error("what was there before is missing")
	}
	kv, err := s.bus.KV(t.Context(), bus.RegistryBucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), "device.d1"); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "device.d2", []byte("{")); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return late.Device("d1") == nil && late.Device("d2") == nil })
	if err := late.Status(); err == nil || !strings.Contains(err.Error(), "device.d2") {
		t.Errorf("status is %v, want the unreadable entry", err)
	}
	if secret := s.add(t, bin("d1")); secret == "" { // over a deletion mark
		t.Error("no secret for a device added anew")
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return len(late.Devices()) == 1 })
}

func TestChangeWithoutRunDoesNotPretend(t *testing.T) {
	r := openRegistry(t, testkit.NATS(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := r.AddCommunity(ctx, devices.Community{ID: "c", Name: devices.Text{EN: "C"}})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stored, but not yet in force here") {
		t.Errorf("got %v", err)
	}
}

func TestChosenSecret(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	for range 2 {
		if err := s.AddDeviceWithSecret(ctx, bin("d1"), "demo-secret-of-d1"); err != nil || !s.Verify(s.Device("d1"), "demo-secret-of-d1") {
			t.Fatal(err)
		}
	}
	if err := s.AddDeviceWithSecret(ctx, bin("d1"), "demo-secret-of-d2"); !errors.Is(err, devices.ErrExists) {
		t.Errorf("another secret: %v", err)
	}
	for _, weak := range []devices.Secret{"", "short", "has a space in its middle", "schlüssel-mit-umlaut"} {
		var invalid *devices.InvalidError
		if err := s.AddDeviceWithSecret(ctx, bin("d2"), weak); !errors.As(err, &invalid) || weak != "" && strings.Contains(err.Error(), weak.Reveal()) {
			t.Errorf("weak secret: %v", err)
		}
	}
}

func TestShortKeyIsRefused(t *testing.T) {
	if _, err := devices.OpenRegistry(t.Context(), nil, nil, []byte("short"), nil); err == nil {
		t.Error("opened")
	}
}

func TestWhere(t *testing.T) {
	c := &devices.Community{
		Estates: []devices.Estate{{ID: "e3", Name: devices.Text{ZH: "三区", EN: "Estate 3"}}},
		Plan:    &devices.Plan{Shapes: []devices.Shape{{Kind: devices.PlaceShape, Zone: "lake", Name: devices.Text{ZH: "中心湖", EN: "Central lake"}}}},
	}
	for p, want := range map[devices.Place]devices.Text{
		{}: {},
		{Estate: "e3", Building: "b07", Unit: "u2"}: {ZH: "三区7栋2单元", EN: "Estate 3, Bldg 7, Unit 2"},
		{Zone: "lake"}: {ZH: "中心湖", EN: "Central lake"},
		{Estate: "east", Building: "tower-a", Unit: "301", Zone: "roof"}: {ZH: "east tower-a 301 roof", EN: "east, tower-a, 301, roof"},
	} {
		if got := c.Where(p); got != want {
			t.Errorf("%+v is at %+v, want %+v", p, got, want)
		}
	}
	if got := (*devices.Community)(nil).Where(devices.Place{Estate: "e3", Building: "12"}); got.ZH != "e3 12栋" {
		t.Errorf("without a community it is at %q", got.ZH)
	}
}
