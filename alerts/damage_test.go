package alerts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// Whatever record of CORE is damaged, the engine starts, says so, judges what comes, and opens nothing twice.
func TestDamagedRecordIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, damaged := range []string{bus.AlertSubject("*"), bus.CheckpointSubject + ".0", bus.SequencesSubject + ".0", bus.OffsetSubject} {
		t.Run(damaged, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			e := s.engine(nil)
			s.say("p1 3m!sos", "p1 4m level=96")
			s.judged()
			if err := e.stop(); err != nil {
				t.Fatal(err)
			}
			subject := damaged
			err := s.bus.ReadAll(t.Context(), bus.Core, damaged, func(m jetstream.Msg) error {
				subject = m.Subject()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			s.publish(subject, []byte(`{"id":`))

			e = s.engine(nil)
			s.say("p1 5m!flood")
			s.judged()
			opened := slices.DeleteFunc(s.log(), func(l string) bool { return !strings.HasSuffix(l, ":opened") })
			if want := []string{"t_sos[person=ma] 3m:opened", "safety_event[device=p1,event=flood] 5m:opened"}; !slices.Equal(opened, want) {
				t.Errorf("opened %q, want %q", opened, want)
			}
			testkit.Eventually(t, 30*time.Second, func() bool { return !bus.Broken(e.Status()) })
			if e.Status() == nil {
				t.Error("nobody is told of the damage")
			}
		})
	}
}
