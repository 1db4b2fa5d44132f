package web

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"linli/series"
)

// sheet writes a CSV file for spreadsheets. Text of a device or a person never becomes a formula there.
type sheet struct{ *csv.Writer }

// newSheet begins a file; the mark at its beginning tells a spreadsheet that it is UTF-8.
func newSheet(w http.ResponseWriter, name string) sheet {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	_, _ = w.Write([]byte("\ufeff")) // an error shows at the next write
	return sheet{csv.NewWriter(w)}
}

func (s sheet) row(cells ...string) error {
	for i, c := range cells {
		cells[i] = harmless(c)
	}
	return s.Write(cells)
}

// harmless puts an apostrophe before what a spreadsheet would take for a formula. Numbers stay numbers.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil && !strings.ContainsAny(cell, "xX_") {
		return cell
	}
	return "'" + cell
}

// devicesCSV is the list of devices as a file, with the same filters.
func (s *Server) devicesCSV(w http.ResponseWriter, r *http.Request) error {
	found, err := s.find(r)
	if err != nil {
		return err
	}
	out := newSheet(w, "devices")
	if err := out.row("id", "community", "type", "name", "estate", "building", "unit", "zone", "gateway", "person", "state", "created"); err != nil {
		return err
	}
	for _, d := range found {
		err := out.row(d.ID, d.Community, d.Type, d.Name, d.Place.Estate, d.Place.Building, d.Place.Unit, d.Place.Zone, d.Gateway, d.Person,
			string(d.State), d.Created.Format(time.RFC3339))
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// readingsCSV is the history of one field as a file: raw, or windows.
func (s *Server) readingsCSV(w http.ResponseWriter, r *http.Request) error {
	d, f, points, err := s.history(r)
	if err != nil {
		return err
	}
	var tags []string
	for _, p := range points {
		for tag := range p.Tags {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	slices.Sort(tags)
	zone := s.zone(d.Community)
	out := newSheet(w, d.ID+"-"+f.ID)
	if err := out.row(append([]string{"time", f.ID + " " + f.Unit}, tags...)...); err != nil {
		return err
	}
	for _, p := range points {
		cells := []string{p.Time.In(zone).Format("2006-01-02T15:04:05.000Z07:00"), cellOf(p)}
		for _, tag := range tags {
			cells = append(cells, p.Tags[tag])
		}
		if err := out.row(cells...); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func cellOf(p series.Point) string {
	switch v := p.Value.(type) {
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	}
	return ""
}
