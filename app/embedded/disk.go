package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// StoreLimit is how much JetStream may keep in dir: 70 % of the space that was free when it was first asked. The answer is kept
// in dir, because the streams reserve shares of it: one that shrank as the disk filled would keep the server from starting.
// Without a limit a full disk stops streams until a restart; with one they refuse messages until there is room.
func StoreLimit(dir string) (int64, error) {
	name := filepath.Join(dir, "jetstream.limit")
	kept, err := os.ReadFile(name)
	if err == nil {
		n, err := strconv.ParseInt(strings.TrimSpace(string(kept)), 10, 64)
		if err != nil || n <= 0 {
			return 0, fmt.Errorf("read store limit: %s: %q is not a number of bytes", name, kept)
		}
		return n, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read store limit: %w", err)
	}
	d, err := diskOf(dir)
	if err != nil {
		return 0, err
	}
	n := d.free / 10 * 7
	if err := os.WriteFile(name, []byte(strconv.FormatInt(n, 10)+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("keep store limit: %w", err)
	}
	return n, nil
}

type disk struct {
	size, free int64 // bytes; free is what an ordinary user may still write
}

func diskOf(dir string) (disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return disk{}, fmt.Errorf("look at disk of %s: %w", dir, err)
	}
	return disk{size: int64(s.Blocks) * s.Bsize, free: int64(s.Bavail) * s.Bsize}, nil
}
