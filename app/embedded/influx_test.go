package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linli/app/embedded"
	"linli/internal/testkit/influxtest"
)

func TestInfluxKeepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client, base, stop := influxtest.InfluxAt(t, dir)
	write(t, client, base, "electricity,device=m1 power_w=230.5 1700000000000000000\n")
	stop()
	if r, err := client.Get(base + "/ping"); !errors.Is(err, http.ErrServerClosed) {
		if err == nil {
			r.Body.Close()
		}
		t.Fatalf("after close: %v, want ErrServerClosed", err)
	}
	client, base, stop = influxtest.InfluxAt(t, dir)
	defer stop()
	if got := query(t, client, base, "select power_w from electricity"); !strings.Contains(got, "230.5") {
		t.Fatalf("after reopening: %s", got)
	}
}

// A kill leaves the files as they are, with half of what was being written; that was acknowledged to nobody. What was must be
// there after it, and what is written after it must be there after the next one.
func TestInfluxKeepsWhatItAcknowledgedWhenItIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range 4 {
		client, base, stop := influxtest.InfluxAt(t, dir)
		for earlier := range n {
			if got := query(t, client, base, fmt.Sprintf("select v from m where v = %d", earlier)); !strings.Contains(got, "values") {
				t.Errorf("start %d: what was acknowledged before kill %d is missing: %s", n, earlier, got)
			}
		}
		write(t, client, base, fmt.Sprintf("m,device=d v=%d %d\n", n, n))
		killed := t.TempDir()
		if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		stop()
		tear(t, killed)
		dir = killed
	}
}

// tear appends half an entry to the log of every shard.
func tear(t *testing.T, dir string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "wal", "*", "*", "*", "_*.wal"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log in %s (%v)", dir, err)
	}
	for _, name := range logs {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write([]byte{1, 0, 0, 1, 0, 'h', 'a', 'l', 'f'})
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInfluxRefusesWhatNobodyCalls(t *testing.T) {
	t.Parallel()
	client, base := influxtest.Influx(t)
	for _, path := range []string{"/debug/vars", "/debug/pprof/heap", "/metrics", "/api/v2/query"} {
		r, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s, want 404", path, r.Status)
		}
	}
}

func TestInfluxAnswerIsStreamedAndCancelled(t *testing.T) {
	t.Parallel()
	client, base := influxtest.Influx(t)
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, "m,device=d v=1 %d\n", i)
	}
	write(t, client, base, lines.String())
	ctx, cancel := context.WithCancel(t.Context())
	q := base + "/query?" + url.Values{"db": {embedded.Database}, "q": {"select v from m"}, "chunked": {"true"}, "chunk_size": {"10"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := resp.Body.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, context.Canceled) {
		t.Fatalf("reading on after cancelling: %v", err)
	}
}

func write(t *testing.T, client *http.Client, base, lines string) {
	t.Helper()
	r, err := client.Post(base+"/api/v2/write?bucket=linli/autogen", "text/plain", strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		body, _ := io.ReadAll(r.Body)
		t.Fatalf("write: %s %s", r.Status, body)
	}
}

func query(t *testing.T, client *http.Client, base, q string) string {
	t.Helper()
	r, err := client.Get(base + "/query?" + url.Values{"db": {embedded.Database}, "q": {q}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
