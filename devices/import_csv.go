package devices

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// columns says where each column of an import goes. The reason it returns is empty if the cell is good.
var columns = map[string]func(d *Device, cell string) (reason string){
	"id":         func(d *Device, s string) string { d.ID = s; return "" },
	"community":  func(d *Device, s string) string { d.Community = s; return "" },
	"type":       func(d *Device, s string) string { d.Type = s; return "" },
	"name":       func(d *Device, s string) string { d.Name = s; return "" },
	"estate":     func(d *Device, s string) string { d.Place.Estate = s; return "" },
	"building":   func(d *Device, s string) string { d.Place.Building = s; return "" },
	"unit":       func(d *Device, s string) string { d.Place.Unit = s; return "" },
	"zone":       func(d *Device, s string) string { d.Place.Zone = s; return "" },
	"gateway":    func(d *Device, s string) string { d.Gateway = s; return "" },
	"person":     func(d *Device, s string) string { d.Person = s; return "" },
	"tags":       readTags,
	"attributes": readAttributes,
}

func readTags(d *Device, s string) string {
	return pairs(s, func(k, v string) string {
		if d.Tags == nil {
			d.Tags = map[string]string{}
		}
		if _, twice := d.Tags[k]; twice {
			return fmt.Sprintf("has %q twice", k)
		}
		d.Tags[k] = v
		return ""
	})
}

func readAttributes(d *Device, s string) string {
	return pairs(s, func(k, v string) string {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return fmt.Sprintf("has no number for %q", k)
		}
		if d.Attributes == nil {
			d.Attributes = map[string]float64{}
		}
		if _, twice := d.Attributes[k]; twice {
			return fmt.Sprintf("has %q twice", k)
		}
		d.Attributes[k] = n
		return ""
	})
}

// pairs reads k=v;k=v.
func pairs(s string, each func(k, v string) (reason string)) string {
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		k, v, ok := strings.Cut(part, "=")
		if k, v = strings.TrimSpace(k), strings.TrimSpace(v); !ok || k == "" || v == "" {
			return fmt.Sprintf("has %q, want key=value", part)
		}
		if reason := each(k, v); reason != "" {
			return reason
		}
	}
	return ""
}

// read reads the rows. Its error is about the file as a whole.
func (im *imported) read(from io.Reader) error {
	bounded := &io.LimitedReader{R: from, N: maxImport + 1}
	in := bufio.NewReader(bounded)
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\ufeff")) {
		_, _ = in.Discard(3)
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	header, err := im.header(rows)
	if err != nil || im.report.BadCells > 0 {
		return err
	}
	lines := map[string]int{} // of an id
	for {
		cells, err := rows.Read()
		if bounded.N == 0 {
			return fmt.Errorf("the file is larger than %d bytes: %w", maxImport, ErrBadRows)
		}
		if err == io.EOF {
			return nil
		}
		if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
			im.bad(wrong.Line, "", "", rowMistake(wrong, len(header)))
			continue
		}
		if err != nil {
			return err
		}
		if strings.Join(cells, "") == "" { // what a spreadsheet leaves behind
			continue
		}
		if im.report.Rows++; im.report.Rows > maxImportRows {
			return fmt.Errorf("the file has more than %d rows: %w", maxImportRows, ErrBadRows)
		}
		line, _ := rows.FieldPos(0)
		d := im.row(line, header, cells)
		if first, twice := lines[d.ID]; twice && ValidID(d.ID) {
			im.bad(line, "id", d.ID, fmt.Sprintf("is in line %d already", first))
			continue
		}
		lines[d.ID] = line
		im.rows = append(im.rows, row{d, line})
	}
}

func rowMistake(e *csv.ParseError, want int) string {
	if errors.Is(e, csv.ErrFieldCount) {
		return fmt.Sprintf("the row does not have the %d cells of the header", want)
	}
	return fmt.Sprintf("the row cannot be read at byte %d: %v", e.Column, e.Err)
}

func (im *imported) header(rows *csv.Reader) ([]string, error) {
	first, err := rows.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("the file is empty: %w", ErrBadRows)
	}
	if err != nil {
		return nil, err
	}
	header := make([]string, len(first))
	seen := map[string]bool{}
	for i, cell := range first {
		column := strings.TrimSpace(cell)
		header[i] = column
		if columns[column] == nil {
			im.bad(1, strings.ToValidUTF8(column, "?"), "", "is no column of an import")
		} else if seen[column] {
			im.bad(1, column, "", "is there twice")
		}
		seen[column] = true
	}
	for _, column := range []string{"id", "community", "type"} {
		if !seen[column] {
			im.bad(1, column, "", "is missing")
		}
	}
	return header, nil
}

// row reads one row; what it means is checked when all are there.
func (im *imported) row(line int, header, cells []string) *Device {
	d := &Device{State: Active}
	for i, column := range header {
		cell := strings.TrimSpace(cells[i])
		switch {
		case len(cell) > maxCell:
			im.bad(line, column, strings.ToValidUTF8(cell[:64], "?"), fmt.Sprintf("is longer than %d bytes", maxCell))
		case !utf8.ValidString(cell):
			im.bad(line, column, strings.ToValidUTF8(cell, "?"), "is not UTF-8 text; save the file as CSV UTF-8")
		default:
			// The record's memory is used again for the next row.
			if reason := columns[column](d, strings.Clone(cell)); reason != "" {
				im.bad(line, column, cell, reason)
			}
		}
	}
	return d
}
