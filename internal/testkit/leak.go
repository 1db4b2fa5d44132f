package testkit

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of a package and fails if goroutines that run our code are left over when all have ended. A package calls it
// from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	left := ours()
	for deadline := time.Now().Add(5 * time.Second); len(left) > 0 && time.Now().Before(deadline); left = ours() {
		time.Sleep(10 * time.Millisecond)
	}
	if code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "goroutines left over:\n\n%s\n", strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// ours are the stacks of goroutines with a function of this module on them, but for the caller's.
func ours() []string {
	buf := make([]byte, 8<<20)
	all := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	var found []string
	for _, stack := range all[1:] {
		if strings.Contains(stack, "\nlinli/") {
			found = append(found, stack)
		}
	}
	return found
}
