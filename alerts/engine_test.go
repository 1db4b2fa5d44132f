package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
)

func TestEngineWritesAlerts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(nil)
	s.say("p1 0m level=96", "p1 2m level=97", "p1 3m!sos", "p1 4m level=96")
	s.judged()
	s.expect("t_sos[person=ma] 3m:opened")
	var a bus.Alert
	err := s.bus.ReadAll(t.Context(), bus.Core, bus.AlertsFilter, func(m jetstream.Msg) error {
		return json.Unmarshal(m.Data(), &a)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.State != bus.Opened || a.Device != "p1" || a.Place.Building != "b12" || !a.Safety || a.Events != 1 {
		t.Errorf("alert %+v", a)
	}
	s.act(bus.Action{Key: "k1", Kind: "acknowledge", Alert: a.ID, Community: "tianjin", By: "li", At: start.Add(4 * time.Minute)})
	s.judged()
	if err := e.Status(); err != nil {
		t.Error(err)
	}
	s.say("p1 7m level=96", "p1 9m level=96")
	s.judged()
	s.wall(10*time.Minute + wallGrace)
	testkit.Eventually(t, 30*time.Second, func() bool { return len(s.log()) == 3 })
	if err := e.stop(); err != nil {
		t.Error(err)
	}
	s.expect("t_sos[person=ma] 3m:opened", "t_sos[person=ma] 4m:acknowledged", "t_level[device=p1] 10m:opened")
}

// Wherever a transaction is cut off, the next engine leaves the same log.
func TestEngineKilledInATransactionOpensOnce(t *testing.T) {
	t.Parallel()
	for _, cut := range []string{"before commit", "after commit"} {
		for nth := 1; nth <= 4; nth++ {
			t.Run(fmt.Sprintf("%s %d", cut, nth), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				n := 0
				e := s.engine(func(nc *nats.Conn, point string) {
					if point == cut {
						if n++; n == nth {
							nc.Close()
						}
					}
				})
				for m := range 10 {
					s.say(fmt.Sprintf("p1 %dm level=96", m), fmt.Sprintf("p2 %dm heat=60", m))
				}
				s.say("p1 5s!sos", "p2 30s!sos", "p1 1m!flood")
				testkit.Eventually(t, 30*time.Second, func() bool {
					s.say("p3 1m level=1") // something to commit
					return e.nc.IsClosed()
				})
				e.stop()
				s.engine(nil)
				s.say("p1 11m level=96", "p2 12m heat=20")
				s.judged()
				want := []string{
					"safety_event[device=p1,event=flood] 1m:opened", "t_heat[device=p2] 0s:opened", "t_heat[device=p2] 12m:cleared",
					"t_level[device=p1] 10m:opened", "t_sos[person=ma] 30s:repeated", "t_sos[person=ma] 5s:opened",
				}
				got := s.log()
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("alert log (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestStaleEngineStepsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.engine(nil)
	s.say("p1 0m heat=60")
	s.judged()
	young := s.engine(nil)
	s.say("p2 1m heat=60", "p1 2m!sos")
	s.judged()
	<-old.done
	if err := old.stop(); !errors.Is(err, ErrReplaced) {
		t.Errorf("the older engine ended with %v, want %v", err, ErrReplaced)
	}
	if old.Status() == nil {
		t.Error("the older engine says it is well")
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return young.Status() == nil })
	got := s.log()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"t_heat[device=p1] 0s:opened", "t_heat[device=p2] 1m:opened", "t_sos[person=ma] 2m:opened"}, got); diff != "" {
		t.Errorf("alert log (-want +got):\n%s", diff)
	}
}

// A batch with more transitions than a transaction holds is stored in parts, and a kill between them changes nothing.
func TestStormInOneBatch(t *testing.T) {
	t.Parallel()
	for nth := range 4 {
		t.Run(fmt.Sprint("cut after part ", nth), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			const storm = 1000
			var batch []byte
			for i := range storm {
				id := fmt.Sprint("d", i)
				s.people.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "probe"}
				line, _ := say(fmt.Sprintf("d%d 1m heat=60", i))
				batch = append(batch, line...)
			}
			n := -1
			e := s.engine(func(nc *nats.Conn, point string) {
				if point == "after commit" {
					if n++; n == nth {
						nc.Close()
					}
				}
			})
			s.publish(bus.ReadingsSubject("tianjin", false), batch)
			testkit.Eventually(t, 30*time.Second, func() bool { return e.nc.IsClosed() || s.offset().Readings == 1 })
			e.stop()
			s.engine(nil)
			s.judged()
			got := s.log()
			if slices.Sort(got); len(got) != storm || len(slices.Compact(got)) != storm {
				t.Errorf("%d transitions, want each of %d once", len(got), storm)
			}
		})
	}
}

// What one tick of the clock completes may be more than a transaction takes.
func TestStormInOneTick(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const storm = 1000
	for i := range storm {
		id := fmt.Sprint("d", i)
		s.people.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "probe"}
	}
	s.engine(nil)
	for _, minute := range []int{1, 4, 7, 10} {
		var batch []byte
		for i := range storm {
			line, _ := say(fmt.Sprintf("d%d %dm level=96", i, minute))
			batch = append(batch, line...)
		}
		s.publish(bus.ReadingsSubject("tianjin", false), batch)
	}
	line, _ := say("d0 12m level=96")
	s.publish(bus.ReadingsSubject("tianjin", false), line)
	s.judged()
	if got := s.log(); len(got) != storm {
		t.Errorf("%d transitions, want %d", len(got), storm)
	}
}

func TestBacklogOfReadingsDoesNotDelayAnEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var batch []byte
	for i := range 1000 {
		line, _ := say(fmt.Sprintf("d%d 1m level=50,heat=20", i))
		batch = append(batch, line...)
	}
	for range 500 {
		s.publish(bus.ReadingsSubject("tianjin", false), batch)
	}
	s.say("p1 5s!sos")
	s.engine(nil)
	testkit.Eventually(t, 30*time.Second, func() bool { return len(s.log()) == 1 })
	if o := s.offset(); o.Readings >= 500 {
		t.Errorf("the whole backlog of %d batches was judged before the event", o.Readings)
	}
}

func TestABacklogIsAConcern(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	line, _ := say("p1 1m level=50")
	for range manyLeft + commitMessages {
		s.publish(bus.ReadingsSubject("tianjin", false), line)
	}
	wait := make(chan struct{})
	e := s.engine(func(*nats.Conn, string) { <-wait }) // at the first commit
	goOn := sync.OnceFunc(func() { close(wait) })
	t.Cleanup(goOn)
	testkit.Eventually(t, 30*time.Second, func() bool { return e.behind() != nil })
	goOn()
	s.judged()
	testkit.Eventually(t, 30*time.Second, func() bool { return e.Status() == nil })
}

func TestStreamMadeAnewIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(nil)
	for m := range 5 {
		s.say(fmt.Sprintf("p1 %dm!jam attempts=3", m), fmt.Sprintf("p1 %dm heat=20", m))
	}
	s.judged()
	e.stop()
	for _, stream := range []string{bus.Events, bus.Readings} {
		if err := s.bus.JS.DeleteStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.bus.Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	s.say("p1 10m!sos", "p1 10m heat=60")
	s.engine(nil)
	s.judged()
	got := s.log()
	slices.Sort(got)
	if want := "t_heat[device=p1] 10m:opened"; !slices.Contains(got, want) || !slices.Contains(got, "t_sos[person=ma] 10m:opened") {
		t.Errorf("alert log %q", got)
	}
}

func TestForgottenAlertIsNotOpenedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	e := s.engine(nil)
	s.say("p1 0m heat=60", "p1 1m heat=20")
	s.judged()
	e.stop()
	id := s.events()[0].Alert.ID
	e = s.engine(func(*nats.Conn, string) {})
	e.stop()
	// The engine below has forgotten the alert, as after ten thousand others.
	nc := s.bus
	x, err := Open(t.Context(), Config{Bus: nc, Rules: s.rules, Directory: s.people, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	delete(x.core.book.alerts, id)
	clear(x.core.book.episodes)
	clear(x.core.series)
	line, _ := say("p1 0m heat=60")
	other, _ := say("p2 0m heat=60")
	if err := x.readings(t.Context(), message{bus.Readings, 100, 0, append(line, other...)}); err != nil {
		t.Fatal(err)
	}
	if x.urgent || len(x.core.book.out) > 0 {
		t.Error("a life-safety alert was not committed at once")
	}
	got := s.log()
	slices.Sort(got)
	want := []string{"t_heat[device=p1] 0s:opened", "t_heat[device=p1] 1m:cleared", "t_heat[device=p2] 0s:opened"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alert log (-want +got):\n%s", diff)
	}
	if a := x.core.book.alerts[id]; a == nil || a.State != bus.Cleared {
		t.Errorf("the book did not learn what CORE knows: %+v", a)
	}
}

func TestUnreadableMessagesArePassedOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine(nil)
	for _, bad := range []string{"", "x", "probe,device=p1", "probe,device=p1 heat=60", "event,type=nothing x=1 1", strings.Repeat("a", 1000)} {
		s.publish(bus.ReadingsSubject("tianjin", false), []byte(bad))
		s.publish(bus.EventSubject("tianjin", "probe", "p1", "any"), []byte(bad))
		s.publish(bus.ActionsSubject("tianjin"), []byte(bad))
	}
	s.say("p1 0m heat=60", "p1 1m!sos")
	s.judged()
	if got := s.log(); len(got) != 2 {
		t.Errorf("alert log %q", got)
	}
}

// BenchmarkSOS is the way of one SOS through the engine: from its publish to the bus until its alert is in CORE.
func BenchmarkSOS(b *testing.B) {
	s := newSite(b)
	s.engine(nil)
	consumer, err := s.bus.JS.OrderedConsumer(b.Context(), bus.Core, jetstream.OrderedConsumerConfig{FilterSubjects: []string{bus.AlertEventsFilter}})
	if err != nil {
		b.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		b.Fatal(err)
	}
	defer messages.Stop()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		s.say(fmt.Sprintf("p1 %dms!sos", s.published))
		if _, err := messages.Next(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}
