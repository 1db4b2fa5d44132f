package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Backup copies a data directory while nobody uses it: what is in it then is all that was acknowledged. Most of the work can be done
// ahead, while a server runs: the copy that counts takes only what has changed since.
type Backup struct {
	Data string // data directory
	Dir  string // of the copy: empty, or an earlier copy, which is replaced
}

// Copied says what a copy took.
type Copied struct {
	Files, Taken int   // in the copy; of these read this time
	Bytes        int64 // of those taken
}

// manifest lists a copy. It is written last.
type manifest struct {
	Complete bool                 `json:"complete"` // false: made ahead, or broken off; not to be restored
	At       time.Time            `json:"at"`
	Dirs     []string             `json:"dirs"`
	Files    map[string]*backedUp `json:"files"`
}

type backedUp struct {
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"` // of the file that was copied; zero when it may have changed meanwhile
	SHA256   string    `json:"sha256"`
}

const manifestName = "manifest.json"

// settled is how long a file was not changed that may be taken as it is: two changes within a tick of the clock look like one.
const settled = 2 * time.Second

// Take makes the copy. Unless it is made ahead, it has the data directory to itself.
func (b *Backup) Take(ctx context.Context, ahead bool) (Copied, error) {
	var c Copied
	data, err := filepath.EvalSymlinks(b.Data)
	if err != nil {
		return c, err
	}
	if rel, err := relative(data, b.Dir); err != nil || filepath.IsLocal(rel) {
		return c, fmt.Errorf("%s lies in %s: a copy does not survive what it is made for", b.Dir, b.Data)
	}
	if !ahead {
		lock, err := Lock(data)
		if err != nil {
			return c, err
		}
		defer lock.Close()
	}
	before, err := b.open()
	if err != nil {
		return c, err
	}
	now := &manifest{At: time.Now().UTC(), Files: map[string]*backedUp{}}
	if err := b.write(before); err != nil {
		return c, err
	}
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(data, path)
		switch {
		case ahead && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || relErr != nil || ctx.Err() != nil:
			return errors.Join(err, relErr, ctx.Err())
		case d.IsDir():
			now.Dirs = append(now.Dirs, name)
			return os.MkdirAll(filepath.Join(b.Dir, name), 0o700)
		case name == lockName:
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		f, taken, err := b.take(path, name, before.Files[name])
		if ahead && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		now.Files[name] = f
		if c.Files++; taken {
			c.Taken, c.Bytes = c.Taken+1, c.Bytes+f.Size
		}
		return nil
	})
	if err == nil {
		err = b.prune(now)
	}
	if err != nil {
		return c, fmt.Errorf("back up: %w", err)
	}
	now.Complete = !ahead
	return c, b.write(now)
}

// relative is where dir, which may not be there yet, lies from data.
func relative(data, dir string) (string, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	return filepath.Rel(data, dir)
}

// open returns what an earlier copy holds. Anything else that is there is somebody's.
func (b *Backup) open() (*manifest, error) {
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		return nil, err
	}
	m, err := b.read()
	if errors.Is(err, fs.ErrNotExist) {
		there, err := os.ReadDir(b.Dir)
		if err == nil && len(there) > 0 {
			err = fmt.Errorf("%s is not empty and no backup", b.Dir)
		}
		return &manifest{}, err
	}
	if err != nil {
		return nil, err
	}
	m.Complete = false
	return m, nil
}

func (b *Backup) read() (*manifest, error) {
	text, err := os.ReadFile(filepath.Join(b.Dir, manifestName))
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(b.Dir, manifestName), err)
	}
	return m, nil
}

// write puts the manifest in place once everything else is on the disk.
func (b *Backup) write(m *manifest) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := syncTo(b.Dir); err != nil {
		return err
	}
	temporary := filepath.Join(b.Dir, manifestName+".new")
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(b.Dir, manifestName)); err != nil {
		return err
	}
	return syncTo(b.Dir)
}

// take copies a file unless the copy that is there is of the same.
func (b *Backup) take(path, name string, there *backedUp) (f *backedUp, taken bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	modified := info.ModTime().UTC()
	to := filepath.Join(b.Dir, name)
	if there != nil && there.Size == info.Size() && there.Modified.Equal(modified) {
		if copied, err := os.Stat(to); err == nil && copied.Size() == there.Size {
			return there, false, nil
		}
	}
	if time.Since(modified) < settled {
		modified = time.Time{}
	}
	f = &backedUp{Modified: modified}
	f.Size, f.SHA256, err = copyFile(path, to)
	return f, true, err
}

// copyFile copies a file under another name and puts it in the place of to: links to what was there keep it.
func copyFile(from, to string) (size int64, sum string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, "", err
	}
	defer in.Close()
	out, err := os.OpenFile(to+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, "", err
	}
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(out, hash), in)
	if err = errors.Join(err, out.Close()); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(hash.Sum(nil)), os.Rename(to+".new", to)
}

// prune removes what is no longer in the data directory.
func (b *Backup) prune(m *manifest) error {
	var old []string
	err := filepath.WalkDir(b.Dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(b.Dir, path)
		if err == nil && m.Files[name] == nil && !slices.Contains(m.Dirs, name) && name != manifestName {
			old = append(old, path)
		}
		return err
	})
	for _, path := range slices.Backward(old) { // files before their directories
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// Restore makes the data directory, which must be empty, what it was when the copy was made. It checks every byte; if something is
// wrong the directory is left empty, or a server would begin with half of it.
func (b *Backup) Restore(ctx context.Context) (at time.Time, err error) {
	m, err := b.read()
	if err != nil {
		return at, err
	}
	if !m.Complete {
		return at, fmt.Errorf("%s is not a whole backup: it was made ahead of one, or broken off", b.Dir)
	}
	if there, err := os.ReadDir(b.Data); err == nil && len(there) > 0 {
		return at, fmt.Errorf("%s is not empty: restore into another directory, or move it away", b.Data)
	}
	lock, err := Lock(b.Data)
	if err != nil {
		return at, err
	}
	defer lock.Close()
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(b.Data))
		}
	}()
	for _, dir := range m.Dirs {
		if err := os.MkdirAll(filepath.Join(b.Data, dir), 0o700); err != nil {
			return at, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		want := m.Files[name]
		size, sum, err := copyFile(filepath.Join(b.Dir, name), filepath.Join(b.Data, name))
		if err == nil && (size != want.Size || sum != want.SHA256) {
			err = fmt.Errorf("%s is not what was backed up: it is damaged", filepath.Join(b.Dir, name))
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return at, fmt.Errorf("restore: %w", err)
		}
	}
	return m.At, syncTo(b.Data)
}

// empty removes what is in a directory.
func empty(dir string) error {
	there, err := os.ReadDir(dir)
	for _, e := range there {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// syncTo waits until the file system of dir has everything on its disk.
func syncTo(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
