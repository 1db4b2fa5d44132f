package acceptance

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The first steps of the README work as they stand there; only the ports are others, so that tests can run beside a server.
func TestReadmeFirstSteps(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	dir := t.TempDir()
	if err := os.Symlink(binDir, filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(s.data, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile("(?s)<!-- first steps -->\n```sh\n(.*?)```").FindAllSubmatch(text, -1)
	if len(steps) == 0 {
		t.Fatal("README.md has no block behind <!-- first steps -->")
	}
	_, httpPort, _ := net.SplitHostPort(s.http)
	_, mqttPort, _ := net.SplitHostPort(s.mqtt)
	ports := strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+httpPort, "-p 1883", "-p "+mqttPort)
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, b := range steps {
		script.WriteString(ports.Replace(string(b[1])))
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LINLI_SERVER=http://"+s.http)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script.String(), out)
	}
	if !strings.Contains(string(out), `"value":72`) {
		t.Errorf("the reading did not come back:\n%s", out)
	}
	s.await(30*time.Second, "paged", func() bool { return hook.opened("wb_sos")["wb-1"] > 0 })
	s.await(30*time.Second, "readable", func() bool {
		p, err := s.readings("wb-1", "heart_rate_bpm", time.Now().Add(-time.Hour))
		return err == nil && len(p) == 1 && p[0].Value == 72.0
	})
	if n := hook.opened("wb_sos")["wb-1"]; n != 1 {
		t.Errorf("the webhook came %d times", n)
	}
}

// An SOS pages whatever its payload says, sent by a real MQTT client.
func TestEverySOSPages(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	host, port, err := net.SplitHostPort(s.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	payloads := map[string]string{
		"empty":      "",
		"epoch-1970": `{"ts": 12}`,
		"plus-8h":    fmt.Sprintf(`{"ts": %d}`, time.Now().Add(8*time.Hour).UnixMilli()),
		"minus-8h":   fmt.Sprintf(`{"ts": %d}`, time.Now().Add(-8*time.Hour).UnixMilli()),
		"not-json":   "SOS!",
		"binary":     "\xff\xfe\x00",
		"wrong-type": `{"press_ms": "long", "ts": "yesterday"}`,
		"unknown":    `{"who": "me"}`,
		"array":      `[1, 2, 3]`,
	}
	for id, payload := range payloads {
		c := s.addDevice("garden", "sos_button", id)
		cmd := exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-i", c.ID, "-u", c.Username, "-P", c.Secret,
			"-q", "1", "-t", "linli/event/garden/sos_button/"+id+"/sos", "-s")
		cmd.Stdin = strings.NewReader(payload)
		if payload == "" {
			cmd.Args = append(cmd.Args[:len(cmd.Args)-1], "-n")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", id, err, out)
		}
	}
	s.await(30*time.Second, "paged", func() bool { return len(hook.opened("sb_sos")) == len(payloads) })
	for id, n := range hook.opened("sb_sos") {
		if n != 1 {
			t.Errorf("%s: paged %d times", id, n)
		}
	}
	// What was bad about a payload is to be seen as well.
	var list struct{ Rejects []json.RawMessage }
	if err := s.get("/api/v1/rejects", &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Rejects) < 4 {
		t.Errorf("%d rejects: %s", len(list.Rejects), list.Rejects)
	}
	s.terminate()
}
