package bus_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// Rule state lives in CORE: it must stay as small as its subjects are many, however often they are rewritten, and be back soon
// after a restart. The benchmark says it for 500,000 subjects.
func TestCoreStaysAsSmallAsItsSubjects(t *testing.T) {
	t.Parallel()
	const subjects, record = 3000, 3000
	const block = 8 << 20 // the file that is being written is not compacted
	p := proveCore(t, subjects, record)
	if limit := int64(subjects*record*5/4 + block); p.disk > limit {
		t.Errorf("%d subjects of %d bytes, written three times, take %d bytes, want at most %d", subjects, record, p.disk, limit)
	}
	if p.reopen > 5*time.Second || p.unclean > 5*time.Second {
		t.Errorf("reopened in %v, after a kill in %v, want less than 5 s", p.reopen, p.unclean)
	}
}

func BenchmarkCore500000Subjects(b *testing.B) {
	for b.Loop() {
		p := proveCore(b, 500_000, 120)
		b.ReportMetric(float64(p.disk)/1e6, "MB")
		b.ReportMetric(p.writes, "writes/s")
		b.ReportMetric(p.reopen.Seconds(), "s-reopen")
		b.ReportMetric(p.unclean.Seconds(), "s-reopen-after-kill")
		b.ReportMetric(p.read.Seconds(), "s-read-all")
	}
}

type coreProof struct {
	disk                  int64
	writes                float64 // per second
	reopen, unclean, read time.Duration
}

// proveCore writes n subjects of the given length three times in full batches, closes and opens the stream, and opens a copy of its files that was
// taken while it ran, as a kill would leave them. Each time everything must be there.
func proveCore(t testing.TB, n, length int) coreProof {
	dir, killed := t.TempDir(), t.TempDir()
	b, stop := testkit.NATSAt(t, dir)
	var p coreProof
	began := time.Now()
	const rounds = 3
	for round := range rounds {
		writeCore(t, b, n, length, round)
	}
	p.writes = float64(rounds*n) / time.Since(began).Seconds()
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	stop()
	p.disk = size(t, filepath.Join(dir, "jetstream", "$G", "streams", bus.Core))

	began = time.Now()
	b, stop = testkit.NATSAt(t, dir)
	p.reopen = time.Since(began)
	began = time.Now()
	readCore(t, b, n, length, rounds-1)
	p.read = time.Since(began)
	stop()

	began = time.Now()
	b, stop = testkit.NATSAt(t, killed)
	p.unclean = time.Since(began)
	readCore(t, b, n, length, rounds-1)
	stop()
	return p
}

func coreRecord(i, length, round int) string {
	s := fmt.Sprintf(`{"rule":"ws_overflow","n":%d,"round":%d,"since":"2026-03-01T12:00:00Z","note":"`, i, round)
	return s + strings.Repeat("x", length-len(s)-2) + `"}`
}

func writeCore(t testing.TB, b *bus.Bus, n, length, round int) {
	t.Helper()
	for from := 0; from < n; from += bus.MaxBatch {
		batch := make([]*nats.Msg, 0, bus.MaxBatch)
		for i := from; i < min(from+bus.MaxBatch, n); i++ {
			batch = append(batch, bus.Msg(fmt.Sprintf("core.state.%d", i), []byte(coreRecord(i, length, round))))
		}
		if _, err := b.Commit(t.Context(), bus.Core, batch); err != nil {
			t.Fatal(err)
		}
	}
}

func readCore(t testing.TB, b *bus.Bus, n, length, round int) {
	t.Helper()
	c, err := b.JS.OrderedConsumer(t.Context(), bus.Core, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	it, err := c.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		t.Fatal(err)
	}
	defer it.Stop()
	if got := messages(t, b, bus.Core); got != uint64(n) {
		t.Fatalf("CORE has %d messages, want one for each of %d subjects", got, n)
	}
	seen := make([]bool, n)
	for range n {
		m, err := it.Next()
		if err != nil {
			t.Fatal(err)
		}
		i, err := strconv.Atoi(strings.TrimPrefix(m.Subject(), "core.state."))
		if err != nil {
			t.Fatal(err)
		}
		if seen[i] || string(m.Data()) != coreRecord(i, length, round) {
			t.Fatalf("subject %d (seen %t) has %s", i, seen[i], m.Data())
		}
		seen[i] = true
	}
}

func size(t testing.TB, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
