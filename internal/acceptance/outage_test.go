package acceptance

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var outage = flag.Duration("outage", 60*time.Second, "how long InfluxDB is away")

// influxd is a real InfluxDB 1.8 server process with authentication on.
type influxd struct {
	t         *testing.T
	bin, dir  string
	http, rpc string
	cmd       *exec.Cmd
}

const influxToken = "linli:a-password"

func newInfluxd(t *testing.T) *influxd {
	d := &influxd{t: t, bin: filepath.Join(binDir, "influxd"), dir: t.TempDir(), http: freeAddr(t), rpc: freeAddr(t)}
	d.start()
	t.Cleanup(d.kill)
	d.query("", "CREATE USER admin WITH PASSWORD 'admin' WITH ALL PRIVILEGES")
	d.query("admin:admin", "CREATE DATABASE linli")
	d.query("admin:admin", "CREATE USER linli WITH PASSWORD 'a-password'")
	d.query("admin:admin", "GRANT ALL ON linli TO linli")
	return d
}

func (d *influxd) start() {
	d.t.Helper()
	d.cmd = exec.Command(d.bin)
	d.cmd.Env = append(os.Environ(),
		"INFLUXDB_META_DIR="+d.dir+"/meta", "INFLUXDB_DATA_DIR="+d.dir+"/data", "INFLUXDB_DATA_WAL_DIR="+d.dir+"/wal",
		"INFLUXDB_HTTP_BIND_ADDRESS="+d.http, "INFLUXDB_BIND_ADDRESS="+d.rpc, "INFLUXDB_REPORTING_DISABLED=true",
		"INFLUXDB_HTTP_AUTH_ENABLED=true", "INFLUXDB_DATA_INDEX_VERSION=tsi1", "INFLUXDB_MONITOR_STORE_ENABLED=false",
		"INFLUXDB_HTTP_PPROF_ENABLED=false", "INFLUXDB_HTTP_LOG_ENABLED=false")
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	limit := time.Now().Add(20 * time.Second)
	for {
		r, err := http.Get("http://" + d.http + "/ping")
		if err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(limit) {
			d.t.Fatal("influxd does not answer")
		}
		time.Sleep(20 * time.Millisecond) // another program's start announces itself no other way
	}
}

func (d *influxd) kill() {
	if d.cmd != nil {
		d.cmd.Process.Kill()
		d.cmd.Wait()
		d.cmd = nil
	}
}

// query has a statement executed. A server that has just started may refuse one, with an error in an answer of status 200 too.
func (d *influxd) query(login, q string) {
	d.t.Helper()
	limit := time.Now().Add(20 * time.Second)
	for {
		answer, err := d.ask(login, q)
		if err == nil && !strings.Contains(answer, `"error"`) {
			return
		}
		if time.Now().After(limit) {
			d.t.Fatalf("%s: %s, %v", q, answer, err)
		}
		time.Sleep(20 * time.Millisecond) // as above
	}
}

// ask is the answer to a statement.
func (d *influxd) ask(login, q string) (string, error) {
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, "http://"+d.http+"/query?q="+url.QueryEscape(q), nil)
	if err != nil {
		return "", err
	}
	if user, password, ok := strings.Cut(login, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return string(text), err
}

// While InfluxDB is away nothing is lost, alerts do not notice, memory stays flat, and afterwards the backlog drains.
func TestInfluxOutage(t *testing.T) {
	hook := newReceiver(t)
	db := newInfluxd(t)
	s := newServer(t, "--config", hook.config(t), "--influx-url", "http://"+db.http, "--influx-token", influxToken)
	s.start()
	ids := s.fleet(4, 25, 25)
	began := time.Now()
	l := startLoad(t, s.mqtt, ids, "-rate", "2000", "-sos-every", "3s", "-duration", (*outage + 30*time.Second).String())

	time.Sleep(20 * time.Second) // of ordinary work, until memory has found its level
	db.kill()
	down := time.Now()
	early := s.mostMemory(down.Add(min(10*time.Second, *outage/4)))
	most := s.mostMemory(down.Add(*outage))
	paged := len(hook.opened("sb_sos"))
	db.start()
	up := time.Now()

	r := l.wait()
	a := l.account()
	s.await(2*time.Minute, "drained", func() bool { return s.missing(a, began) == 0 })
	acked, open := s.verify(a, began)
	t.Logf("%d acknowledged readings stored, %d never acknowledged (%d sent); drained %v after the return; memory %d MB after the first seconds, at most %d MB until the end; %d SOS paged meanwhile",
		acked, open, r.Sent, time.Since(up).Round(100*time.Millisecond), early>>20, most>>20, paged)
	if most > early+early*15/100 {
		t.Errorf("memory grew from %d to %d MB during the outage", early>>20, most>>20)
	}
	if want := int(time.Since(began).Seconds())/3 - 3; paged == 0 {
		t.Errorf("%d SOS paged during the outage, want about %d", paged, want)
	}
	s.await(30*time.Second, "paged", func() bool { return len(hook.opened("sb_sos")) >= r.SOS })
	for device, n := range hook.opened("sb_sos") {
		if n != 1 {
			t.Errorf("SOS of %s: opened %d times", device, n)
		}
	}
	s.terminate()
}

// mostMemory is the most resident memory in bytes that the server is seen with until then.
func (s *server) mostMemory(until time.Time) int64 {
	s.t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	most := s.rss()
	for time.Now().Before(until) {
		<-tick.C
		most = max(most, s.rss())
	}
	return most
}

// rss is the resident memory of the server in bytes.
func (s *server) rss() int64 { return s.memory("VmRSS") }

// memory is a line of /proc/PID/status in bytes.
func (s *server) memory(name string) int64 {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, name+": %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	s.t.Fatal("no " + name)
	return 0
}
