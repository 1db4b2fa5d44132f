package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// journal is an append-only file of lines "S device ts at value" before a first send and "A device ts at" after its
// acknowledgement: ts is the reading's time in ms (0 for the press of an SOS button), at the wall clock in µs. It is synced every
// second.
type journal struct {
	mu   sync.Mutex
	w    *bufio.Writer // nil: no journal
	f    *os.File
	done chan struct{}
	wg   sync.WaitGroup
}

func openJournal(name string) (*journal, error) {
	j := &journal{done: make(chan struct{})}
	if name == "" {
		return j, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	j.f, j.w = f, bufio.NewWriterSize(f, 1<<20)
	j.wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				j.sync()
			case <-j.done:
				return
			}
		}
	})
	return j, nil
}

// sync ends the process if it fails: a witness that forgets is none.
func (j *journal) sync() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := errors.Join(j.w.Flush(), j.f.Sync()); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen: write journal:", err)
		os.Exit(1)
	}
}

func (j *journal) write(kind byte, device string, ts int64, value float64) {
	if j.w == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	at := time.Now().UnixMicro()
	if kind == 'A' {
		fmt.Fprintf(j.w, "A %s %d %d\n", device, ts, at)
		return
	}
	fmt.Fprintf(j.w, "%c %s %d %d %v\n", kind, device, ts, at, value)
}

func (j *journal) close() {
	if j.w == nil {
		return
	}
	close(j.done)
	j.wg.Wait()
	j.sync()
	j.f.Close()
}
