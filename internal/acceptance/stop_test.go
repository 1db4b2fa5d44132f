package acceptance

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whatever a stop waits for, a second SIGTERM ends the server at once.
func TestSecondSignalEndsTheServerAtOnce(t *testing.T) {
	s := newServer(t)
	s.start()
	token, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	// A request whose body does not end: a stop waits for it.
	conn, err := net.Dial("tcp", s.http)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/v1/devices/import HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: text/csv\r\n"+
		"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n", s.http, strings.TrimSpace(string(token)))
	// Only who reads the body asks for it.
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server answers %q, %v", line, err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.await(30*time.Second, "listening no more", func() bool {
		c, err := net.Dial("tcp", s.http)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("the first signal has ended the server, which had a request to finish: %v", err)
	}
	s.cmd.Wait()
	if status := s.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended by %v, want the second SIGTERM", s.cmd.ProcessState)
	}
	s.cmd = nil
}
