package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/influxdata/influxdb/tsdb/engine/tsm1"
)

// trimLogs cuts InfluxDB's write-ahead logs below dir behind their last whole entry, before the store is opened. InfluxDB does so
// itself, but after it has opened the log for writing behind that end: what it then writes follows a hole, and the next start
// takes the hole for the end and drops what was acknowledged.
//
// What a kill leaves is half an entry at the end of the last segment of a shard, and nobody was told that it is stored. Anything
// else was whole once: onLoss is called before it is cut, and its error keeps the log as it is.
func trimLogs(dir string, onLoss func(file string) error) error {
	shards, err := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
	if err != nil {
		return err
	}
	for _, shard := range shards {
		segments, err := filepath.Glob(filepath.Join(shard, tsm1.WALFilePrefix+"*."+tsm1.WALFileExtension)) // sorted, as InfluxDB reads them
		if err != nil {
			return err
		}
		for i, name := range segments {
			lost := onLoss
			if i == len(segments)-1 {
				lost = nil
			}
			if err := trimLog(name, onLoss, lost); err != nil {
				return fmt.Errorf("trim %s: %w", name, err)
			}
		}
	}
	return nil
}

// trimLog cuts one segment. onDamage is told of a whole entry that cannot be read, onTorn, if there is one, of half an entry.
func trimLog(name string, onDamage, onTorn func(file string) error) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	r := tsm1.NewWALSegmentReader(f) // closes f
	defer r.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for r.Count() < info.Size() {
		good := r.Count()
		whole, err := wholeEntry(f, good, info.Size())
		if err != nil {
			return err
		}
		tell := onTorn
		if whole {
			if r.Next(); r.Error() == nil {
				continue
			}
			tell = onDamage
		}
		if tell != nil {
			if err := tell(name); err != nil {
				return err
			}
		}
		if err := f.Truncate(good); err != nil {
			return err
		}
		return f.Sync()
	}
	return nil
}

// wholeEntry reports whether the entry at offset ends within the file: a byte of type, four of length, and so many.
func wholeEntry(f io.ReaderAt, offset, size int64) (bool, error) {
	var head [5]byte
	if _, err := f.ReadAt(head[:], offset); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return offset+int64(len(head))+int64(binary.BigEndian.Uint32(head[1:])) <= size, nil
}
