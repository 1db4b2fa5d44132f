package devices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Bounds of an import.
const (
	maxImport     = 64 << 20 // bytes
	maxImportRows = 200_000
	maxCell       = 1024 // bytes
	maxBadRows    = 1000 // listed; the rest is only counted
	writers       = 64   // records written at a time
)

// Report says what an import did, or would do.
type Report struct {
	DryRun    bool      `json:"dry_run"`
	Rows      int       `json:"rows"`
	Added     int       `json:"added"`
	Unchanged int       `json:"unchanged"`
	Bad       []BadCell `json:"bad,omitempty"` // in the order of lines, at most 1000
	BadCells  int       `json:"bad_cells"`     // all of them
	// Issued are the secrets of what was added. This is the only time they can be read.
	Issued []Issued `json:"issued,omitempty"`
}

// BadCell is one mistake of an import. Column is the name in the header, or empty if it is about the whole row.
type BadCell struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
}

// Issued is a device with the secret it was given; marshalled it is masked unless it is revealed first.
type Issued struct {
	ID     string `json:"id"`
	Secret Secret `json:"secret"`
}

// ErrBadRows says that an import has mistakes and nothing was written; the report lists them.
var ErrBadRows = errors.New("the import has bad rows, nothing was written")

// ImportDevices adds the devices of a CSV file: UTF-8, the first row names the columns out of id, community, type, name,
// estate, building, unit, zone, gateway, person, tags and attributes (both k=v;k=v); the first three are needed. A device that is
// registered with the same values is left alone; one with other values is a mistake. With any mistake nothing is written and
// the error is ErrBadRows. After any other error the report says how far it came; the same import again adds the rest.
func (r *Registry) ImportDevices(ctx context.Context, csv io.Reader, dryRun bool) (Report, error) {
	im := &imported{r: r, report: Report{DryRun: dryRun}, added: map[string]*Device{}, behind: map[string]int{}}
	if err := im.read(csv); err != nil {
		return im.report, fmt.Errorf("read import: %w", err)
	}
	im.check()
	report := &im.report
	slices.SortStableFunc(report.Bad, func(a, b BadCell) int { return a.Line - b.Line })
	report.Bad = report.Bad[:min(len(report.Bad), maxBadRows)]
	switch {
	case report.BadCells > 0:
		return *report, ErrBadRows
	case dryRun:
		report.Added = len(im.added)
		return *report, nil
	}
	err := im.write(ctx)
	return *report, err
}

// imported is the content of a file, checked against itself and the registry.
type imported struct {
	r      *Registry
	report Report
	rows   []row
	added  map[string]*Device // what is new
	behind map[string]int     // how many of them are behind a gateway
}

type row struct {
	*Device
	line int
}

func (im *imported) bad(line int, column, value, reason string) {
	im.report.BadCells++
	if r := []rune(value); len(r) > 64 {
		value = string(r[:64]) + "…"
	}
	if len(im.report.Bad) < 10*maxBadRows { // more than are shown: they are not found in the order of lines
		im.report.Bad = append(im.report.Bad, BadCell{line, column, value, reason})
	}
}

// check looks at every row beside all others: a gateway may come after its children.
func (im *imported) check() {
	for _, d := range im.rows {
		if im.r.Device(d.ID) == nil {
			im.added[d.ID] = d.Device
		}
	}
	for _, d := range im.rows {
		if old := im.r.Device(d.ID); old != nil {
			if column := difference(old, d.Device); column != "" {
				im.bad(d.line, column, "", fmt.Sprintf("device %q is registered with another %s", d.ID, column))
			} else {
				im.report.Unchanged++
			}
			continue
		}
		for _, e := range im.r.checkDevice(d.Device, im) {
			im.bad(d.line, e.Field, e.Value, e.Reason)
		}
		if d.Gateway != "" {
			im.behind[d.Gateway]++
		}
	}
}

func (im *imported) device(id string) *Device {
	if d := im.added[id]; d != nil {
		return d
	}
	return im.r.Device(id)
}

func (im *imported) children(gateway string) int {
	return len(im.r.Children(gateway)) + im.behind[gateway]
}

// write stores what is new, gateways before what is behind them, and returns when the registry has all of it.
func (im *imported) write(ctx context.Context) error {
	var (
		mu     sync.Mutex // guards what follows
		issued = map[int]Issued{}
		last   uint64
	)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, behind := range []bool{false, true} {
		for _, d := range im.rows {
			if im.added[d.ID] != d.Device || (d.Gateway != "") != behind {
				continue
			}
			g.Go(func() error {
				secret := newSecret()
				revision, err := im.r.store(gctx, d.Device, secret)
				if err != nil {
					return fmt.Errorf("device %q: %w", d.ID, err)
				}
				mu.Lock()
				defer mu.Unlock()
				last = max(last, revision)
				issued[d.line] = Issued{d.ID, secret}
				return nil
			})
		}
	}
	err := g.Wait()
	for _, line := range slices.Sorted(maps.Keys(issued)) {
		im.report.Issued = append(im.report.Issued, issued[line])
	}
	im.report.Added = len(issued)
	if err != nil {
		return err
	}
	return im.r.bucket.Await(ctx, last)
}
