package embedded

import (
	"fmt"
	"syscall"
)

// Files is how many files this process may have open, its connections among them. Go has raised that as far as the system allows.
//
// A stream that cannot open a file refuses everything from then on, so connections must leave enough of them: devices get half, or all
// but 8192, and the pages an eighth.
func Files() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("ask how many files may be open: %w", err)
	}
	return int(min(limit.Cur, 1<<30)), nil
}
