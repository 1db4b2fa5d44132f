package series

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LinesQuery selects stored readings or events as lines.
type LinesQuery struct {
	Measurement string
	Fields      []string          // at least one
	Tags        map[string]string // only the series with these values
	From, To    time.Time
}

// ReceivedField is when a reading or event arrived, ms: the one whole number among the fields of lines.
const ReceivedField = "received_at"

// Lines hands over what is stored as line protocol, in runs of one series each, oldest first: tags in alphabetical order, and of the
// fields those that a line has. A line is valid until the next one. It holds one chunk of the answer at a time.
func (x *Influx) Lines(ctx context.Context, q LinesQuery, each func(line []byte, at int64) error) error {
	if err := validNames(slices.Concat([]string{q.Measurement}, q.Fields, slices.Sorted(maps.Keys(q.Tags)))); err != nil {
		return err
	}
	var r request
	join := "SELECT "
	r.begin("")
	for _, f := range q.Fields {
		r.add(join + quote(f))
		join = ", "
	}
	r.add(" FROM " + quote(q.Measurement) + " WHERE time >= ")
	r.bind(q.From.UnixNano())
	r.before(q.To)
	r.tags(q.Tags)
	r.add(" GROUP BY *")
	w := lineWriter{fields: q.Fields}
	return x.ask(ctx, "ns", r.text.String(), r.params, func(chunk []byte) error {
		var a rawAnswer
		if err := json.Unmarshal(chunk, &a); err != nil {
			return fmt.Errorf("query answer: %w", err)
		}
		return a.lines(&w, each)
	})
}

// rawAnswer is an answer whose rows are not decoded.
type rawAnswer struct {
	Results []struct {
		Error  string `json:"error"`
		Series []struct {
			Name   string            `json:"name"`
			Tags   map[string]string `json:"tags"`
			Values json.RawMessage   `json:"values"`
		} `json:"series"`
	} `json:"results"`
	Error string `json:"error"`
}

func (a *rawAnswer) lines(w *lineWriter, each func([]byte, int64) error) error {
	if a.Error != "" {
		return &QueryError{200, a.Error}
	}
	for _, r := range a.Results {
		if r.Error != "" {
			return &QueryError{200, r.Error}
		}
		for _, s := range r.Series {
			w.begin(s.Name, s.Tags)
			if err := w.rows(s.Values, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// lineWriter makes lines of the rows of one series.
type lineWriter struct {
	fields []string
	head   []byte
	line   []byte
}

func (w *lineWriter) begin(name string, tags map[string]string) {
	w.head = append(w.head[:0], name...)
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if tags[tag] != "" {
			w.head = append(append(append(append(w.head, ','), tag...), '='), escapeTag.Replace(tags[tag])...)
		}
	}
}

var escapeTag = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)

// rows reads [[time,value,…],…]: the server's own JSON, in which a string ends at the first quote without a backslash before it.
func (w *lineWriter) rows(b []byte, each func([]byte, int64) error) error {
	for i := 1; i < len(b); {
		if b[i] != '[' {
			i++
			continue
		}
		i++
		end := i + bytes.IndexAny(b[i:], ",]")
		at, err := strconv.ParseInt(string(b[i:end]), 10, 64)
		if err != nil {
			return fmt.Errorf("query answer: time %q", b[i:end])
		}
		w.line = append(w.line[:0], w.head...)
		before := byte(' ')
		i = end
		for field := 0; field < len(w.fields) && b[i] == ','; field++ {
			value := cell(b[i+1:])
			i += 1 + len(value)
			if string(value) == "null" {
				continue
			}
			w.line = append(append(append(w.line, before), w.fields[field]...), '=')
			w.line = appendValue(w.line, value)
			if w.fields[field] == ReceivedField {
				w.line = append(w.line, 'i')
			}
			before = ','
		}
		w.line = strconv.AppendInt(append(w.line, ' '), at, 10)
		w.line = append(w.line, '\n')
		if err := each(w.line, at); err != nil {
			return err
		}
		for i < len(b) && b[i] != ']' {
			i++
		}
		i++
	}
	return nil
}

// cell is the JSON value that b begins with.
func cell(b []byte) []byte {
	if b[0] != '"' {
		for i, c := range b {
			if c == ',' || c == ']' {
				return b[:i]
			}
		}
		return b
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[:i+1]
		}
	}
	return b
}

// appendValue writes a JSON value as line protocol has it: text knows no escapes but of the quote and the backslash.
func appendValue(dst, value []byte) []byte {
	if value[0] != '"' || bytes.IndexByte(value, '\\') < 0 {
		return append(dst, value...)
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return append(dst, `""`...)
	}
	return append(append(append(dst, '"'), escapeText.Replace(text)...), '"')
}

var escapeText = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
