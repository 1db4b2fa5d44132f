//go:build failpoints

// Package failpoint names the moments at which a crash would hurt most. A binary built with the tag failpoints kills itself with
// SIGKILL at one of them, for the chaos test; any other binary passes over them at no cost.
package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// LINLI_FAILPOINT is NAME:N: die when the moment comes for the N-th time.
var name, left = func() (string, *atomic.Int64) {
	name, times, _ := strings.Cut(os.Getenv("LINLI_FAILPOINT"), ":")
	n, _ := strconv.ParseInt(times, 10, 64)
	left := &atomic.Int64{}
	left.Store(max(n, 1))
	return name, left
}()

// Hit is such a moment.
func Hit(moment string) {
	if moment == name && left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing after this moment happens
	}
}
