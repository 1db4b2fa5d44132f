package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
	"linli/ingest/store"
	"linli/internal/testkit"
	"linli/internal/testkit/influxtest"
	"linli/series"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open is the store on a bus, writing through w, until the test ends or stop is called.
func open(t testing.TB, b *bus.Bus, w store.Writer) (s *store.Store, stop func()) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Bus: b, Writer: w, Log: testkit.Log, Reg: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// influx is a real database and what its readers see.
func influx(t testing.TB) *series.Influx {
	t.Helper()
	client, url := influxtest.Influx(t)
	return connect(t, series.Options{URL: url, HTTPClient: client})
}

func connect(t testing.TB, o series.Options) *series.Influx {
	t.Helper()
	o.Bucket = influxtest.Database + "/" + influxtest.RetentionPolicy
	x, err := series.OpenInflux(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

var began = time.Now().Add(-time.Hour).Truncate(time.Second)

// line is the n-th reading of a device.
func line(device string, n int) string {
	return fmt.Sprintf("electricity,community=north,device=%s power_w=%d,received_at=%di %d\n", device, n, began.UnixMilli(), began.UnixNano()+int64(n)*1e6)
}

func put(t testing.TB, b *bus.Bus, subject string, lines ...string) {
	t.Helper()
	if _, _, err := b.Publish(t.Context(), subject, "", []byte(strings.Join(lines, ""))); err != nil {
		t.Fatal(err)
	}
}

// values are the stored readings of a device.
func values(t testing.TB, x *series.Influx, device string) (all []float64) {
	t.Helper()
	points, err := x.Raw(t.Context(), series.Query{
		Measurement: "electricity", Field: "power_w", Devices: []string{device}, From: began.Add(-time.Hour), To: began.Add(2 * time.Hour),
	}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		all = append(all, p.Value.(float64))
	}
	return all
}

// settled waits until everything on a stream is acknowledged.
func settled(t testing.TB, b *bus.Bus, stream, durable string) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() bool {
		s, err := b.JS.Stream(t.Context(), stream)
		if err != nil {
			return false
		}
		c, err := b.JS.Consumer(t.Context(), stream, durable)
		return err == nil && c.CachedInfo().AckFloor.Stream == s.CachedInfo().State.LastSeq
	})
}

func rejects(t testing.TB, b *bus.Bus) (all []bus.Reject) {
	t.Helper()
	s, err := b.JS.Stream(t.Context(), bus.Rejects)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(t.Context(), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var r bus.Reject
		if err := json.Unmarshal(m.Data, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestReadingsAndEventsAreStoredAndThenAcknowledged(t *testing.T) {
	b, x := testkit.NATS(t), influx(t)
	open(t, b, x)
	put(t, b, "readings.north", line("em-1", 1), line("em-1", 2))
	put(t, b, "readings.north.health", line("em-2", 3))
	put(t, b, "events.north.meter.em-1.cover_opened", fmt.Sprintf("event,community=north,device=em-1,type=meter,event=cover_opened received_at=%di,time_source=\"received\" %d\n", began.UnixMilli(), began.UnixNano()))
	settled(t, b, bus.Readings, bus.StoreConsumer)
	settled(t, b, bus.Events, bus.StoreEventsConsumer)
	if got := values(t, x, "em-1"); !slices.Equal(got, []float64{1, 2}) {
		t.Errorf("em-1: %v", got)
	}
	if got := values(t, x, "em-2"); !slices.Equal(got, []float64{3}) {
		t.Errorf("em-2: %v", got)
	}
	points, err := x.Raw(t.Context(), series.Query{
		Measurement: "event", Field: "time_source", Devices: []string{"em-1"}, From: began.Add(-time.Hour), To: began.Add(time.Hour),
	}, 10)
	if err != nil || len(points) != 1 || points[0].Value != "received" {
		t.Errorf("events %v, %v", points, err)
	}
}

// The database stores the good lines of a batch and answers 400 for the bad ones; each bad one has to be found.
func TestBadLinesAreSetApart(t *testing.T) {
	b, x := testkit.NATS(t), influx(t)
	if err := x.Write(t.Context(), []byte(line("em-1", 0))); err != nil { // power_w is a number from now on
		t.Fatal(err)
	}
	var lines []string
	bad := map[string]bool{}
	for n := 1; n <= 500; n++ {
		lines = append(lines, line("em-1", n))
		switch n {
		case 10:
			lines = append(lines, fmt.Sprintf("electricity,community=north,device=em-3 power_w=\"text\" %d\n", began.UnixNano()))
		case 250:
			lines = append(lines, "electricity,community=north,device= power_w=1 1\n")
		case 500:
			lines = append(lines, "no line at all\n")
		default:
			continue
		}
		bad[lines[len(lines)-1]] = true
	}
	put(t, b, "readings.north", lines...)
	open(t, b, x)
	settled(t, b, bus.Readings, bus.StoreConsumer)
	if got := values(t, x, "em-1"); len(got) != 501 {
		t.Errorf("%d good readings, want 501", len(got))
	}
	all := rejects(t, b)
	for _, r := range all {
		if !bad[string(r.Raw)] || r.Source != bus.SourceStore || r.Reason == "" {
			t.Errorf("reject %+v", r)
		}
	}
	if len(all) != len(bad) {
		t.Errorf("%d rejects, want %d", len(all), len(bad))
	}
	if all[0].Device != "em-3" || all[0].Community != "north" {
		t.Errorf("first reject is of %s in %s", all[0].Device, all[0].Community)
	}
}

func TestReplayedLineIsStored(t *testing.T) {
	b, x := testkit.NATS(t), influx(t)
	broken := newBackEnd(t, x)
	broken.refuse = func(body string) (int, http.Header) {
		if strings.Contains(body, "device=em-7") {
			return http.StatusUnprocessableEntity, nil
		}
		return 0, nil
	}
	open(t, b, broken.client(t))
	put(t, b, "readings.north", line("em-1", 1), line("em-7", 7))
	settled(t, b, bus.Readings, bus.StoreConsumer)
	replay := func() {
		all := rejects(t, b)
		if len(all) != 1 || all[0].Device != "em-7" {
			t.Fatalf("rejects are %+v", all)
		}
		s, err := b.JS.Stream(t.Context(), bus.Rejects)
		if err != nil {
			t.Fatal(err)
		}
		kv, err := b.KV(t.Context(), bus.SettingsBucket)
		if err != nil {
			t.Fatal(err)
		}
		key := bus.ReplayKey(fmt.Sprint(s.CachedInfo().State.LastSeq))
		if _, err := kv.PutString(t.Context(), key, ""); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 30*time.Second, func() bool {
			_, err := kv.Get(t.Context(), key)
			return errors.Is(err, jetstream.ErrKeyNotFound)
		})
	}
	replay() // still bad: it stays in the list
	broken.set(nil)
	replay()
	if got := values(t, x, "em-7"); !slices.Equal(got, []float64{7}) {
		t.Errorf("em-7: %v", got)
	}
	if left := rejects(t, b); len(left) != 0 {
		t.Errorf("rejects are %+v", left)
	}
}

func TestRebuild(t *testing.T) {
	b := testkit.NATS(t)
	_, stop := open(t, b, influx(t))
	for n := range 20 {
		put(t, b, "readings.north", line("em-1", n))
	}
	settled(t, b, bus.Readings, bus.StoreConsumer)
	stop()
	x := influx(t) // empty
	open(t, b, x)
	kv, err := b.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), "rebuild", "r-1"); err != nil {
		t.Fatal(err)
	}
	var status struct {
		ID, State string
		Messages  int
	}
	testkit.Eventually(t, 30*time.Second, func() bool {
		e, err := kv.Get(t.Context(), "rebuild_status")
		return err == nil && json.Unmarshal(e.Value(), &status) == nil && status.State == "done"
	})
	if got := values(t, x, "em-1"); len(got) != 20 || status.ID != "r-1" || status.Messages != 20 {
		t.Errorf("%d readings, status %+v", len(got), status)
	}
}

// nowhere is a time series that takes everything and keeps nothing.
// slow stores what it is given once it may.
type slow chan struct{}

func (s slow) Write(ctx context.Context, _ []byte) error {
	select {
	case <-s:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestWhatWaitsToBeStoredIsAConcern(t *testing.T) {
	b := testkit.NATS(t)
	for range 2000 {
		if _, err := b.JS.PublishAsync(bus.ReadingsSubject("north", false), []byte(line("em-1", 1))); err != nil {
			t.Fatal(err)
		}
	}
	<-b.JS.PublishAsyncComplete()
	w := make(slow)
	s, _ := open(t, b, w)
	testkit.Eventually(t, 30*time.Second, func() bool {
		err := s.Status()
		return err != nil && !bus.Broken(err) && strings.Contains(err.Error(), "messages of READINGS wait to be stored")
	})
	close(w)
	testkit.Eventually(t, 30*time.Second, func() bool { return s.Status() == nil })
}

type nowhere struct{}

func (nowhere) Write(context.Context, []byte) error { return nil }

// BenchmarkStore is the hop from JetStream into InfluxDB, everything in this process; and without InfluxDB, to tell its share.
func BenchmarkStore(b *testing.B) {
	b.Run("into InfluxDB", func(b *testing.B) { benchmark(b, influx(b)) })
	b.Run("into nowhere", func(b *testing.B) { benchmark(b, nowhere{}) })
}

func benchmark(b *testing.B, w store.Writer) {
	n := testkit.NATS(b)
	const perMessage = 200
	var lines strings.Builder
	stored := 0
	for ; stored < b.N; stored += perMessage {
		lines.Reset()
		for i := range perMessage {
			fmt.Fprintf(&lines, "electricity,community=north,device=em-%d power_w=312.5,voltage_l1_v=226.4,current_l1_a=5.31,frequency_hz=50.01,energy_import_kwh=1234.56,received_at=%di,seq=%di %d\n",
				i%100, began.UnixMilli(), stored+i, began.UnixNano()+int64(stored+i)*1e4)
		}
		put(b, n, "readings.north", lines.String())
	}
	before := cpu()
	b.ReportAllocs()
	b.ResetTimer()
	open(b, n, w)
	settled(b, n, bus.Readings, bus.StoreConsumer)
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(stored), "cpu-ns/line")
	b.ReportMetric(float64(stored)/b.Elapsed().Seconds(), "lines/s")
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
