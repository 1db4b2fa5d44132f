package acceptance

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// Every sync of a file takes two seconds for a while, as on a disk that dies or is shared with too many. Nothing that was acknowledged is
// lost, whoever presses is heard, and what waits for the disk does not pile up in memory.
func TestDiskThatTakesSeconds(t *testing.T) {
	if *chaos < 100 {
		t.Skip("takes a minute: make chaos")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip(err)
	}
	const slow, by = 30 * time.Second, 2 * time.Second
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	ids := s.fleet(4, 10, 100)
	began := time.Now()
	l := startLoad(t, s.mqtt, ids, "-rate", "50", "-duration", "10m", "-sos-every", "5s")
	answered := s.answer(hook)
	early := s.mostMemory(time.Now().Add(10 * time.Second))
	mend := slowDisk(t, s.cmd.Process.Pid, by)
	most := s.mostMemory(time.Now().Add(slow))
	heard := len(openings(hook))
	mend()
	l.stop()
	r := l.wait()
	a := l.account()
	s.await(2*time.Minute, "drained", func() bool { return s.missing(a, began) == 0 })
	acked, open := s.verify(a, began)
	s.await(time.Minute, "everybody heard", func() bool { return len(openings(hook)) >= r.SOS })
	if r.Reconnects == 0 {
		hook.heardOnce(t)
	} else { // who connects again sends again what was not acknowledged, and after 10 s that is another press
		hook.toldOnce(t)
	}
	t.Logf("%d acknowledged readings are stored once, %d were never acknowledged; %d presses, %d heard, %d before the disk was fast again, the last %.1f s late; "+
		"%d devices connected again; %d MB before, at most %d MB meanwhile",
		acked, open, r.SOS, len(openings(hook)), heard, latest(a, hook, began, time.Now()).Seconds(), r.Reconnects, early>>20, most>>20)
	if most > 2*early {
		t.Errorf("memory grew from %d to %d MB", early>>20, most>>20)
	}
	close(answered)
	s.terminate()
}

// slowDisk makes every sync of a process take so much longer until the returned function ends that.
func slowDisk(t *testing.T, pid int, by time.Duration) (mend func()) {
	t.Helper()
	delay := "fsync,fdatasync,sync_file_range:delay_enter=" + strconv.FormatInt(by.Microseconds(), 10)
	cmd := exec.Command("strace", "-f", "-q", "-o", os.DevNull, "-e", "trace=fsync,fdatasync,sync_file_range", "-e", "inject="+delay, "-p", strconv.Itoa(pid))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	mend = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	t.Cleanup(mend)
	return mend
}
