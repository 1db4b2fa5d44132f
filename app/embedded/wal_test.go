package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/golang/snappy"
	"github.com/influxdata/influxdb/tsdb/engine/tsm1"
)

// logEntry is one entry as InfluxDB writes it.
func logEntry(t *testing.T, n int) []byte {
	t.Helper()
	e := &tsm1.WriteWALEntry{Values: map[string][]tsm1.Value{
		fmt.Sprint("electricity,device=m", n, "#!~#power_w"): {tsm1.NewFloatValue(int64(n), float64(n)), tsm1.NewFloatValue(int64(n)+1, 2)},
		fmt.Sprint("electricity,device=m", n, "#!~#state"):   {tsm1.NewStringValue(int64(n), "on")},
	}}
	b, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	packed := snappy.Encode(nil, b)
	head := []byte{byte(tsm1.WriteWALEntryType)}
	return append(binary.BigEndian.AppendUint32(head, uint32(len(packed))), packed...)
}

func logEntries(t *testing.T, from, n int) []byte {
	var all []byte
	for i := range n {
		all = append(all, logEntry(t, from+i)...)
	}
	return all
}

// shardWith is a directory of segments, first to last, below a write-ahead log's root.
func shardWith(t *testing.T, segments ...[]byte) (root string, names []string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, Database, "autogen", "1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, s := range segments {
		names = append(names, filepath.Join(dir, fmt.Sprintf("_%05d.wal", i+1)))
		if err := os.WriteFile(names[i], s, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, names
}

func contents(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func noLoss(t *testing.T) func(string) error {
	return func(file string) error {
		t.Errorf("%s is reported as damaged", file)
		return nil
	}
}

func TestTornEntryIsCutAtAnyByte(t *testing.T) {
	t.Parallel()
	good, last := logEntries(t, 0, 3), logEntry(t, 3)
	root, names := shardWith(t, nil)
	for n := range last {
		if err := os.WriteFile(names[0], slices.Concat(good, last[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := trimLogs(root, noLoss(t)); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, names[0]); !bytes.Equal(got, good) {
			t.Errorf("%d of %d bytes of the last entry: %d bytes are left, want the %d of the whole entries", n, len(last), len(got), len(good))
		}
	}
}

func TestGoodLogsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	// InfluxDB reads segments in the order of their names, and so far that each may end anywhere; an empty one is a new one.
	segments := [][]byte{logEntries(t, 0, 5), logEntries(t, 5, 200), {}}
	root, names := shardWith(t, segments...)
	if err := trimLogs(root, noLoss(t)); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if got := contents(t, name); !bytes.Equal(got, segments[i]) {
			t.Errorf("segment %d was changed: %d bytes, had %d", i+1, len(got), len(segments[i]))
		}
	}
}

// What was whole once is not cut in silence: somebody is told first, so that it can be written again.
func TestLossIsToldBeforeTheCut(t *testing.T) {
	t.Parallel()
	entry, more := logEntry(t, 1), logEntries(t, 2, 3)
	unreadable := slices.Clone(entry)
	unreadable[len(unreadable)-1] ^= 0xff
	unreadable[6] ^= 0xff
	good := logEntries(t, 10, 2)
	for _, c := range []struct {
		name     string
		segments [][]byte
		hurt     int
		left     []byte
	}{
		{"unreadable, others behind it", [][]byte{slices.Concat(good, unreadable, more)}, 0, good},
		{"unreadable at the end", [][]byte{slices.Concat(good, unreadable)}, 0, good},
		{"zeros behind the end", [][]byte{slices.Concat(good, make([]byte, 4096))}, 0, good},
		{"half an entry, others behind it", [][]byte{slices.Concat(good, entry[:len(entry)/2], more)}, 0, good},
		{"half an entry, another segment behind it", [][]byte{slices.Concat(good, entry[:len(entry)/2]), more}, 0, good},
		{"the first entry", [][]byte{more, slices.Concat(unreadable, more)}, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root, names := shardWith(t, c.segments...)
			hurt := names[c.hurt]
			stop := errors.New("not noted")
			if err := trimLogs(root, func(string) error { return stop }); !errors.Is(err, stop) {
				t.Errorf("got %v, want the error of who is told", err)
			}
			if got := contents(t, hurt); !bytes.Equal(got, c.segments[c.hurt]) {
				t.Errorf("cut although nobody could be told")
			}
			var told []string
			if err := trimLogs(root, func(file string) error { told = append(told, file); return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(told, []string{hurt}) {
				t.Errorf("told of %v, want %s", told, hurt)
			}
			for i, name := range names {
				want := c.segments[i]
				if i == c.hurt {
					want = c.left
				}
				if got := contents(t, name); !bytes.Equal(got, want) {
					t.Errorf("segment %d has %d bytes, want %d", i+1, len(got), len(want))
				}
			}
		})
	}
}
