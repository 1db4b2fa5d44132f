package bus_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

func core(t testing.TB, b *bus.Bus, subject string, record any) {
	t.Helper()
	data, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Publish(t.Context(), subject, "", data); err != nil {
		t.Fatal(err)
	}
}

func subjects(t testing.TB, b *bus.Bus) (all []string) {
	t.Helper()
	err := b.ReadAll(t.Context(), bus.Core, "core.>", func(m jetstream.Msg) error {
		all = append(all, m.Subject())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// What is over goes when its time has come, with what belongs to it; what is not over never does.
func TestCoreForgetsWhatIsLongOver(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	closed := bus.Alert{ID: "closed", State: bus.Closed, Events: 2}
	for n := 1; n <= 2; n++ {
		core(t, b, bus.AlertEventSubject("closed", n), bus.AlertEvent{N: n, Alert: closed})
	}
	core(t, b, bus.AlertSubject("closed"), closed)
	core(t, b, bus.AlertEventSubject("open", 1), bus.AlertEvent{N: 1})
	core(t, b, bus.AlertSubject("open"), bus.Alert{ID: "open", State: bus.Opened})
	core(t, b, bus.AlertSubject("damaged"), "no alert")
	core(t, b, bus.DeliverySubject("closed", "sent"), bus.Delivery{State: bus.Accepted})
	core(t, b, bus.DeliverySubject("open", "failed"), bus.Delivery{State: bus.Failed})
	core(t, b, bus.DeliverySubject("open", "due"), bus.Delivery{State: bus.Pending})
	core(t, b, bus.DeliverySubject("open", "doubt"), bus.Delivery{State: bus.Sending})
	core(t, b, bus.HoldSubject("ended"), bus.Hold{Until: time.Now()})
	core(t, b, bus.HoldSubject("lasting"), bus.Hold{Until: time.Now().Add(1000 * 24 * time.Hour)})
	core(t, b, bus.HoldSubject("weekly"), bus.Hold{Until: time.Now(), EveryDays: 7})
	core(t, b, bus.OffsetSubject, bus.Offset{Events: 7})
	all := subjects(t, b)

	gone := []string{}
	for _, step := range []struct {
		days int
		gone []string
	}{
		{89, nil},
		{91, []string{bus.DeliverySubject("closed", "sent"), bus.DeliverySubject("open", "failed")}},
		{364, nil},
		{366, []string{
			bus.AlertSubject("closed"), bus.AlertEventSubject("closed", 1), bus.AlertEventSubject("closed", 2), bus.HoldSubject("ended"),
		}},
		{900, nil},
	} {
		gone = append(gone, step.gone...)
		if err := bus.Expire(b, t.Context(), testkit.Log, time.Now().Add(time.Duration(step.days)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(gone, s) })
		if got := subjects(t, b); !slices.Equal(got, want) {
			t.Errorf("after %d days CORE has\n%q, want\n%q", step.days, got, want)
		}
	}
}

// One run is bounded, and the next goes on.
func TestCoreIsCleanedInSteps(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	const n = bus.ExpireLimit + 20
	for i := range n {
		core(t, b, bus.DeliverySubject("a", fmt.Sprint(i)), bus.Delivery{State: bus.Accepted})
	}
	later := time.Now().Add(100 * 24 * time.Hour)
	for _, left := range []int{20, 0} {
		if err := bus.Expire(b, t.Context(), testkit.Log, later); err != nil {
			t.Fatal(err)
		}
		if got := subjects(t, b); len(got) != left {
			t.Fatalf("%d deliveries are left, want %d", len(got), left)
		}
	}
}

// When CORE is nearly full, what is over goes sooner: a full one would take no new alert.
func TestFullCoreKeepsLess(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	if err := b.Setup(t.Context(), bus.Limits{Core: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 10_000)
	for i := range 64 { // about 880 KB
		core(t, b, bus.DeliverySubject("a", fmt.Sprint(i)), bus.Delivery{State: bus.Accepted, Body: body})
	}
	for _, step := range []struct{ days, left int }{{9, 64}, {11, 0}} {
		if err := bus.Expire(b, t.Context(), testkit.Log, time.Now().Add(time.Duration(step.days)*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := len(subjects(t, b)); got != step.left {
			t.Errorf("after %d days %d deliveries are left, want %d", step.days, got, step.left)
		}
	}
}
