package acceptance

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"linli/internal/providers"
)

var chaos = flag.Int("chaos", 20, "how often a part is killed in the chaos test; ten presses each")

// moments are the fail points at which a part kills itself, see internal/failpoint.
var moments = map[string][]string{
	"ingest": {"ingest before store", "ingest after store"},
	"alerts": {"alerts before commit", "alerts after commit"},
	"notify": {"notify read", "notify recorded", "notify sending", "notify sent"},
}

// victim is a process that is killed over and over.
type victim struct {
	name   string
	make   func() *exec.Cmd
	log    *lockedBuffer
	cmd    *exec.Cmd
	moment string        // at which it dies by itself; empty: none
	gone   chan struct{} // closed when it has ended
}

// start starts the process, one that dies by itself at a moment if there is one.
func (v *victim) start(t *testing.T, moment string) {
	t.Helper()
	v.cmd, v.moment = v.make(), moment
	v.cmd.Env = append(os.Environ(), "LINLI_FAILPOINT="+moment)
	v.cmd.Stdout, v.cmd.Stderr = v.log, v.log
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v.gone = make(chan struct{})
	go func(cmd *exec.Cmd, gone chan struct{}) {
		_ = cmd.Wait()
		close(gone)
	}(v.cmd, v.gone)
}

// kill reports whether the process had ended before.
func (v *victim) kill() (already bool) {
	select {
	case <-v.gone:
		return true
	default:
	}
	_ = v.cmd.Process.Kill()
	<-v.gone
	return false
}

func buildFor(t *testing.T, name string, args ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), name)
	if b, err := exec.Command("go", append([]string{"build", "-o", bin}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, b)
	}
	return bin
}

// Engine, notifier, ingest and the bus itself, each a process of its own, are killed at random and at the worst moments while people
// press. Everybody who pressed is heard, once. A receiver that knows ids sees nothing twice; a mail that comes again says so.
func TestEverySOSReachesAPersonWhateverIsKilled(t *testing.T) {
	t.Logf("reproduce with -seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 1))
	linli := buildFor(t, "linli", "-tags", "failpoints", "linli/cmd/linli")
	natsServer := buildFor(t, "nats-server", "github.com/nats-io/nats-server/v2")
	hook, mail := newReceiver(t), providers.SMTP(t, "linli", "secret")
	broker, busAddr := startMosquitto(t).addr, freeAddr(t)
	busDir := t.TempDir()
	config := chaosConfig(t, hook, mail)

	front := newServer(t) // its command is a victim's
	_, busPort, _ := net.SplitHostPort(busAddr)
	serve := func(data string, args ...string) func() *exec.Cmd {
		return func() *exec.Cmd {
			return exec.Command(linli, append([]string{
				"serve", "--data", data, "--http", front.http, "--nats-url", "nats://" + busAddr, "--mqtt-url", "tcp://" + broker, "--config", config,
			}, args...)...)
		}
	}
	parts := []*victim{
		{name: "bus", make: func() *exec.Cmd {
			return exec.Command(natsServer, "-a", "127.0.0.1", "-p", busPort, "-js", "-sd", busDir)
		}},
		{name: "ingest", make: serve(front.data, "--roles", "ingest,store,web")},
		{name: "alerts", make: serve(t.TempDir(), "--roles", "alerts")},
		{name: "notify", make: serve(t.TempDir(), "--roles", "notify")},
	}
	for _, p := range parts {
		p.log = &lockedBuffer{}
		t.Cleanup(func() {
			p.kill()
			if t.Failed() {
				t.Logf("log of %s:\n%s", p.name, p.log.tail(4<<10))
			}
		})
		p.start(t, "")
		if p.name == "ingest" {
			front.await(30*time.Second, "ready", front.ready)
		}
	}

	presses := 10 * *chaos
	const gateways = 4
	ids := front.fleet(gateways, 0, presses/gateways)
	// One kill a second and a half, on the average.
	every := time.Duration(float64(*chaos)*1.5*float64(time.Second)) / time.Duration(presses/gateways)
	l := startLoad(t, broker, ids, "-duration", "20m", "-sos-every", every.String())
	answered := front.answer(hook)

	killed := map[string]int{}
	for range *chaos {
		p := parts[random.IntN(len(parts))]
		if p.moment == "" {
			time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second)))) // the random moment is the point
		} else {
			select {
			case <-p.gone:
			case <-time.After(10 * time.Second): // its moment does not come
			}
		}
		how := " at random"
		if p.kill() {
			how = " at a fail point"
		}
		killed[p.name+how]++
		moment := ""
		if m := moments[p.name]; len(m) > 0 && random.IntN(3) > 0 {
			moment = fmt.Sprintf("%s:%d", m[random.IntN(len(m))], 1+random.IntN(4))
		}
		p.start(t, moment)
	}
	front.await(30*time.Second, "bus", func() bool { // who starts without one ends
		c, err := net.Dial("tcp", "127.0.0.1:"+busPort)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	for _, p := range parts { // whoever is to die yet, or has died meanwhile
		if p.name != "bus" {
			p.kill()
			p.start(t, "")
		}
	}
	front.await(time.Minute, "ready", front.ready)
	front.await(2*time.Minute, "pressed", func() bool { return len(l.account()) >= presses })
	l.stop()
	if r := l.wait(); r.SOS != presses {
		t.Fatalf("%d presses, want %d", r.SOS, presses)
	}
	front.await(2*time.Minute, "everybody heard", func() bool { return len(openings(hook)) >= presses })
	hook.heardOnce(t)
	repeats := 0
	mails := map[string]int{}
	for _, m := range mail.Visible() {
		if mails[m.ID]++; mails[m.ID] > 1 {
			if repeats++; !strings.Contains(strings.NewReplacer("=\r\n", "", "=\n", "").Replace(m.Text), "possibly a repeat") {
				t.Errorf("mail %s came again and does not say so:\n%s", m.ID, m.Text)
			}
		}
	}
	if len(mails) == 0 {
		t.Error("no mail came")
	}
	t.Logf("killed %v; %d presses, %d heard; %d deliveries came again under the same id; %d of %d mails came again and said so",
		killed, presses, len(openings(hook)), hook.repeatedNow(), repeats, len(mails))
	close(answered)
}

// heardOnce fails the test unless each device that pressed opened one alert, of which the receiver heard once.
func (r *receiver) heardOnce(t *testing.T) {
	t.Helper()
	r.toldOnce(t)
	for device, alerts := range openings(r) {
		if len(alerts) != 1 {
			t.Errorf("%s pressed once and opened %d alerts", device, len(alerts))
		}
	}
}

// latest is how late presses between two moments were heard at most.
func latest(a account, hook *receiver, from, until time.Time) (worst time.Duration) {
	for _, d := range hook.all() {
		e := a[d.Alert.Device][0]
		if e == nil || d.Alert.Rule != "sb_sos" || d.Event != "opened" {
			continue
		}
		if at := time.UnixMicro(e.sentAt); at.After(from) && at.Before(until) {
			worst = max(worst, d.At.Sub(at))
		}
	}
	return worst
}

// toldOnce fails the test unless the receiver, which knows ids, heard once of each alert that opened.
func (r *receiver) toldOnce(t *testing.T) {
	t.Helper()
	for device, alerts := range openings(r) {
		for alert, told := range alerts {
			if told != 1 {
				t.Errorf("the receiver sees the opening of %s of %s %d times", alert, device, told)
			}
		}
	}
}

// openings is how often the receiver was told that an alert opened, by device and alert.
func openings(hook *receiver) map[string]map[string]int {
	all := map[string]map[string]int{}
	for _, d := range hook.all() {
		if d.Alert.Rule != "sb_sos" || d.Event != "opened" {
			continue
		}
		if all[d.Alert.Device] == nil {
			all[d.Alert.Device] = map[string]int{}
		}
		all[d.Alert.Device][d.Alert.ID]++
	}
	return all
}

// answer closes every alert that the receiver hears of, as the desk would, until the channel is closed: their ladders would tell of
// them for ever.
func (s *server) answer(hook *receiver) chan struct{} {
	over, done := make(chan struct{}), make(chan struct{})
	s.t.Cleanup(func() {
		select {
		case <-over:
		default:
			close(over)
		}
		<-done
	})
	go func() {
		defer close(done)
		closed := map[string]bool{}
		for {
			for _, d := range hook.all() {
				if !closed[d.Alert.ID] {
					closed[d.Alert.ID] = s.post("/api/v1/alerts/"+d.Alert.ID+"/close", `{"by":"desk","disposition":"test"}`) == nil
				}
			}
			select {
			case <-over:
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return over
}

// post sends a request with the administrator's token; the error is of an answer other than 2xx.
func (s *server) post(path, body string) error {
	token, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+s.http+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 5 * time.Second}
	r, err := client.Do(req)
	if err != nil {
		return err
	}
	r.Body.Close()
	if r.StatusCode/100 != 2 {
		return fmt.Errorf("POST %s: %s", path, r.Status)
	}
	return nil
}

func chaosConfig(t *testing.T, hook *receiver, mail *providers.Mail) string {
	host, port, _ := net.SplitHostPort(mail.Addr)
	text := fmt.Sprintf(`channels:
  - {name: ops, type: webhook, url: %q, secret: %q, allow_private_addresses: true}
  - {name: mail, type: smtp, host: %s, port: %s, tls: none, user: linli, password: secret, from: linli@example.test, to: desk@example.test, allow_private_addresses: true}
duty: [ops, mail]
`, hook.URL, webhookSecret, host, port)
	name := filepath.Join(t.TempDir(), "linli.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
