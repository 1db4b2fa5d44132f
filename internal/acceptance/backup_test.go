package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A server is copied ahead under load, killed, backed up and lost. What is restored elsewhere has every reading and every press that
// was acknowledged, its devices are let in, and its people are there. What is no backup, or damaged, is not restored.
func TestBackupHoldsAllThatWasAcknowledged(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	ids := s.fleet(2, 20, 4)
	people := filepath.Join(t.TempDir(), "people.yaml")
	if err := os.WriteFile(people, []byte("people:\n- {id: ma, name: 马奶奶, community: load}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.linli("people", "import", people)
	began := time.Now()
	l := startLoad(t, s.mqtt, ids, "-duration", "5m", "-rate", "1000", "-sos-every", "1s")
	s.await(30*time.Second, "told of two", func() bool { return len(hook.opened("sb_sos")) >= 2 })

	dir := filepath.Join(t.TempDir(), "backup")
	if _, err := backup("backup", s.data, dir); err == nil {
		t.Error("the data directory of a server that runs was backed up")
	}
	ahead, err := backup("backup", s.data, dir, "--ahead")
	if err != nil {
		t.Fatalf("%v: %s", err, ahead)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	if _, err := backup("restore", restored, dir); err == nil {
		t.Error("a copy that was made ahead was restored")
	}
	s.await(30*time.Second, "told of three", func() bool { return len(hook.opened("sb_sos")) >= 3 })
	s.kill()
	final, err := backup("backup", s.data, dir)
	if err != nil {
		t.Fatalf("%v: %s", err, final)
	}
	t.Logf("%s%s", ahead, final)
	if err := os.Rename(s.data, s.data+".lost"); err != nil {
		t.Fatal(err)
	}
	refused(t, dir)
	if out, err := backup("restore", restored, dir); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.data = restored
	s.start()
	s.await(30*time.Second, "told of all", func() bool { return len(hook.opened("sb_sos")) == 8 })
	l.stop()
	l.wait()
	a := l.account()
	s.await(60*time.Second, "drained", func() bool { return s.missing(a, began) == 0 })
	acked, _ := s.verify(a, began)
	for device, n := range hook.opened("sb_sos") {
		if n != 1 {
			t.Errorf("told %d times that the alert of %s opened", n, device)
		}
	}
	if out := s.linli("people", "export"); !bytes.Contains(out, []byte("马奶奶")) {
		t.Errorf("the people are %s", out)
	}
	t.Logf("%d acknowledged readings and 8 presses are there", acked)
	s.terminate()
}

func backup(command, data, dir string, more ...string) (string, error) {
	out, err := exec.Command(filepath.Join(binDir, "linli"), append([]string{command, "--data", data, "--dir", dir}, more...)...).CombinedOutput()
	return string(out), err
}

// refused damages a byte of the backup, tries to restore that, and mends it.
func refused(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "registry.key")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[0] ^= 1
	if err := os.WriteFile(name, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "none")
	if out, err := backup("restore", none, dir); err == nil || !strings.Contains(out, name) {
		t.Errorf("a damaged backup: %v, %s", err, out)
	}
	if left, err := os.ReadDir(none); err != nil || len(left) > 0 {
		t.Errorf("of a damaged backup %v is left, %v", left, err)
	}
	if err := os.WriteFile(name, good, 0o600); err != nil {
		t.Fatal(err)
	}
}
