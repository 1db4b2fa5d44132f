package embedded

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/influxdata/influxdb/tsdb/engine/tsm1"
)

// trimLogs cuts what a kill has left half written at the end of write-ahead logs. InfluxDB does so itself, but after it has opened
// the log for writing behind that end: what it then writes follows a hole, and the next start takes the hole for the end and
// drops what was acknowledged. It comes before the store is opened.
func trimLogs(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", tsm1.WALFilePrefix+"*."+tsm1.WALFileExtension))
	if err != nil {
		return err
	}
	for _, name := range logs {
		if err := trimLog(name); err != nil {
			return fmt.Errorf("trim %s: %w", name, err)
		}
	}
	return nil
}

func trimLog(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	r := tsm1.NewWALSegmentReader(f)
	defer r.Close()
	for r.Next() {
		if _, err := r.Read(); err != nil {
			return f.Truncate(r.Count())
		}
	}
	return nil
}
