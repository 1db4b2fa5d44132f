package store_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
	"linli/series"
)

// backEnd is an HTTP server before a real database that can be made to answer what the database cannot on demand.
type backEnd struct {
	*httptest.Server
	to *series.Influx

	mu     sync.Mutex // guards what follows
	refuse func(body string) (status int, header http.Header)
	sizes  []int // lines of each request
}

func newBackEnd(t testing.TB, to *series.Influx) *backEnd {
	e := &backEnd{to: to}
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.Close)
	return e
}

func (e *backEnd) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sizes = append(e.sizes, strings.Count(string(body), "\n"))
	if e.refuse != nil {
		if status, header := e.refuse(string(body)); status != 0 {
			for k := range header {
				w.Header().Set(k, header.Get(k))
			}
			w.WriteHeader(status)
			return
		}
	}
	if err := e.to.Write(r.Context(), body); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e *backEnd) set(refuse func(string) (int, http.Header)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse = refuse
}

func (e *backEnd) client(t testing.TB) *series.Influx { return connect(t, series.Options{URL: e.URL}) }

// Whatever the back end answers for a while, everything is stored in the end, and nothing that is good is rejected.
func TestAnswersOfTheBackEnd(t *testing.T) {
	x := influx(t)
	for _, test := range []struct {
		status  int
		header  http.Header
		trouble bool          // seen in Status
		longer  time.Duration // than this before the next try
	}{
		{status: 401, trouble: true},
		{status: 403, trouble: true},
		{status: 404, trouble: true},
		{status: 429, header: http.Header{"Retry-After": {"2"}}, trouble: true, longer: 2 * time.Second},
		{status: 503, header: http.Header{"Retry-After": {"2"}}, trouble: true, longer: 2 * time.Second},
		{status: 500, trouble: true},
		{status: 502, trouble: true},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			b, e := testkit.NATS(t), newBackEnd(t, x)
			var refused, taken time.Time
			var seen atomic.Bool // what is wrong
			e.refuse = func(string) (int, http.Header) {
				if !seen.Load() {
					refused = time.Now()
					return test.status, test.header
				}
				taken = time.Now()
				return 0, nil
			}
			device := fmt.Sprintf("em-%d", test.status)
			put(t, b, "readings.north", line(device, 1), line(device, 2))
			s, _ := open(t, b, e.client(t))
			testkit.Eventually(t, 30*time.Second, func() bool { return s.Status() != nil })
			seen.Store(true)
			settled(t, b, bus.Readings, bus.StoreConsumer)
			if got := values(t, x, device); !slices.Equal(got, []float64{1, 2}) {
				t.Errorf("stored %v", got)
			}
			if err := s.Status(); err != nil {
				t.Errorf("status afterwards: %v", err)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if waited := taken.Sub(refused); waited < test.longer {
				t.Errorf("tried again after %v", waited)
			}
			if all := rejects(t, b); len(all) > 0 {
				t.Errorf("rejects %+v", all)
			}
		})
	}
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		b, e := testkit.NATS(t), newBackEnd(t, x)
		e.refuse = func(body string) (int, http.Header) {
			if strings.Count(body, "\n") > 10 {
				return http.StatusRequestEntityTooLarge, nil
			}
			return 0, nil
		}
		var lines []string
		for n := range 100 {
			lines = append(lines, line("em-413", n))
		}
		put(t, b, "readings.north", lines...)
		open(t, b, e.client(t))
		settled(t, b, bus.Readings, bus.StoreConsumer)
		if got := values(t, x, "em-413"); len(got) != 100 {
			t.Errorf("%d readings stored", len(got))
		}
		if all := rejects(t, b); len(all) > 0 {
			t.Errorf("rejects %+v", all)
		}
	})
}

// A back end that takes a batch whole or not at all (2.x) must not cost a bad line's neighbours.
func TestNeighboursOfABadLineAreStored(t *testing.T) {
	b, x := testkit.NATS(t), influx(t)
	e := newBackEnd(t, x)
	e.refuse = func(body string) (int, http.Header) {
		if strings.Contains(body, "poison") {
			return http.StatusBadRequest, nil
		}
		return 0, nil
	}
	var lines []string
	for n := range 64 {
		lines = append(lines, line("em-1", n))
	}
	lines = slices.Insert(lines, 20, "poison 1\n")
	lines = slices.Insert(lines, 50, "poison 2\n")
	put(t, b, "readings.north", lines...)
	open(t, b, e.client(t))
	settled(t, b, bus.Readings, bus.StoreConsumer)
	if got := values(t, x, "em-1"); len(got) != 64 {
		t.Errorf("%d readings stored, want 64", len(got))
	}
	if all := rejects(t, b); len(all) != 2 {
		t.Errorf("%d rejects, want 2", len(all))
	}
}

// While nothing can be stored, little is taken from the bus, and it is stored after a restart.
func TestBackEndAway(t *testing.T) {
	b, x := testkit.NATS(t), influx(t)
	e := newBackEnd(t, x)
	e.refuse = func(string) (int, http.Header) { return http.StatusServiceUnavailable, nil }
	s, stop := open(t, b, e.client(t))
	const messages = 3000
	for n := range messages {
		put(t, b, "readings.north", line("em-1", n))
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.Status() != nil })
	c, err := b.JS.Consumer(t.Context(), bus.Readings, bus.StoreConsumer)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.CachedInfo().NumAckPending; n > messages/2 {
		t.Errorf("%d messages are held", n)
	}
	stop()
	e.set(nil)
	open(t, b, e.client(t))
	settled(t, b, bus.Readings, bus.StoreConsumer)
	if got := values(t, x, "em-1"); len(got) != messages {
		t.Errorf("%d readings, want %d", len(got), messages)
	}
}
