package web

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"time"

	"linli/devices"
	"linli/series"
)

const (
	importChunk = 1 << 20 // bytes written at a time
	maxLine     = 64 << 10
	importStall = time.Minute // a client that takes longer to send a chunk is given up
)

// importReadings stores line protocol as it is, past ingest and rules. Every line is checked against catalogue and registry
// first: one value of a wrong type would make the database refuse that field from then on. The first bad line ends the import;
// lines before it may be stored, and the same import again changes nothing.
func (s *Server) importReadings(w http.ResponseWriter, r *http.Request) error {
	im := &readingsImport{s: s, measurements: map[string]*devices.Type{}}
	for _, t := range s.Catalogue.Types() {
		im.measurements[t.Measurement] = t
	}
	control := http.NewResponseController(w)
	in := bufio.NewReaderSize(r.Body, maxLine)
	for end := false; !end; {
		if im.chunk.Len() == 0 {
			if err := control.SetReadDeadline(time.Now().Add(importStall)); err != nil {
				return err
			}
		}
		line, err := in.ReadSlice('\n')
		end = errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return invalid("line", "line %d is longer than %d bytes", im.line+1, maxLine)
		case err != nil && !end:
			return err
		}
		if err := im.add(line); err != nil {
			return err
		}
		if im.chunk.Len() >= importChunk || end {
			if err := im.flush(r); err != nil {
				return err
			}
		}
	}
	return reply(w, http.StatusOK, stored{im.stored})
}

type readingsImport struct {
	s            *Server
	measurements map[string]*devices.Type
	parsed       devices.Line
	chunk        bytes.Buffer
	waiting      int // lines in chunk
	stored       int
	line         int
}

func (im *readingsImport) add(line []byte) error {
	im.line++
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' {
		return nil
	}
	if err := im.check(line); err != nil {
		return invalid("line", "line %d: %v", im.line, err)
	}
	im.chunk.Write(line)
	im.chunk.WriteByte('\n')
	im.waiting++
	return nil
}

func (im *readingsImport) flush(r *http.Request) error {
	if im.waiting == 0 {
		return nil
	}
	err := im.s.Writer.Write(r.Context(), im.chunk.Bytes())
	var refused *series.WriteError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusBadRequest:
		return invalid("line", "a line up to line %d: %s", im.line, refused.Message)
	case err != nil:
		return fmt.Errorf("import up to line %d: %w", im.line, err)
	}
	im.stored += im.waiting
	im.waiting = 0
	im.chunk.Reset()
	return nil
}

// check says what keeps a line from being stored.
func (im *readingsImport) check(line []byte) error {
	l := &im.parsed
	rest, err := l.Parse(line)
	if err != nil {
		return fmt.Errorf("want measurement,tags fields nanoseconds: %w", err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("more than one line: %q", rest)
	}
	t := im.measurements[string(l.Measurement)]
	isEvent := string(l.Measurement) == devices.EventMeasurement
	if isEvent {
		t = im.s.Catalogue.Type(string(l.Tag("type")))
	}
	if t == nil {
		return fmt.Errorf("unknown measurement %q or type %q", l.Measurement, l.Tag("type"))
	}
	d := im.s.Registry.Device(string(l.Tag("device")))
	switch {
	case d == nil:
		return fmt.Errorf("device %q is not registered", l.Tag("device"))
	case d.Type != t.ID:
		return fmt.Errorf("device %q is of type %q, not %q", d.ID, d.Type, t.ID)
	case d.Community != string(l.Tag("community")):
		return fmt.Errorf("device %q is in community %q: want the tag community=%s, not %q", d.ID, d.Community, d.Community, l.Tag("community"))
	}
	check := checkReading
	if isEvent {
		check = checkEvent
	}
	if err := check(l, t); err != nil {
		return err
	}
	if at := time.Unix(0, l.Time); at.Year() < 2000 || at.Year() > 2100 {
		return fmt.Errorf("timestamp %d is not in nanoseconds of this century", l.Time)
	}
	return nil
}

func checkReading(l *devices.Line, t *devices.Type) error {
	for _, p := range l.Tags {
		key := string(p.Key)
		if key == "device" || key == "community" {
			continue
		}
		tag := t.Tag(key)
		switch {
		case tag == nil || tag.Registry:
			return fmt.Errorf("type %q has no payload tag %q", t.ID, key)
		case !devices.ValidID(string(p.Value)):
			return fmt.Errorf("tag %s: %q is not an identifier", key, p.Value)
		case len(tag.Values) > 0 && !slices.Contains(tag.Values, string(p.Value)):
			return fmt.Errorf("tag %s: unknown value %q", key, p.Value)
		}
	}
	for _, p := range l.Fields {
		kind := stampTypes[string(p.Key)]
		if f := t.Field(string(p.Key)); f != nil {
			kind = f.Type
		}
		if err := checkField(p, kind); err != nil {
			return fmt.Errorf("type %q: %w", t.ID, err)
		}
	}
	return nil
}

// checkEvent is checkReading for what ingest writes of an event: the payload's tags are among its fields.
func checkEvent(l *devices.Line, t *devices.Type) error {
	e := t.Event(string(l.Tag("event")))
	if e == nil {
		return fmt.Errorf("type %q has no event %q", t.ID, l.Tag("event"))
	}
	for _, p := range l.Tags {
		if key := string(p.Key); key != "device" && key != "community" && key != "type" && key != "event" {
			return fmt.Errorf("an event has no tag %q", key)
		}
	}
	for _, p := range l.Fields {
		kind := cmp.Or(stampTypes[string(p.Key)], eventTypes[string(p.Key)])
		if tag := t.Tag(string(p.Key)); tag != nil && !tag.Registry {
			kind = devices.String
		}
		if f := e.Field(string(p.Key)); f != nil {
			kind = f.Type
		}
		if err := checkField(p, kind); err != nil {
			return fmt.Errorf("event %q: %w", e.ID, err)
		}
	}
	return nil
}

// The fields that ingest adds. Only stamps are integers in the database.
var (
	stampTypes = map[string]devices.FieldType{"received_at": stamp, "seq": stamp, "boot": stamp}
	eventTypes = map[string]devices.FieldType{"time_source": devices.String, "late": devices.Bool, "bad_payload": devices.Bool}
)

// stamp is no type of the catalogue.
const stamp devices.FieldType = 255

// checkField holds a value against the type that the database has for the field; 0: there is none such.
func checkField(p devices.Pair, kind devices.FieldType) error {
	var ok bool
	switch {
	case kind == 0:
		return fmt.Errorf("no field %q", p.Key)
	case kind == stamp:
		_, ok = p.Int()
	case kind.Numeric():
		_, integer := p.Int()
		var v float64
		v, ok = p.Float()
		ok = ok && !integer && !math.IsInf(v, 0)
	case kind == devices.Bool:
		_, ok = p.Bool()
	default:
		_, ok = p.Text()
	}
	if !ok {
		return fmt.Errorf("field %s: %q has the wrong type, want %s", p.Key, p.Value, wanted(kind))
	}
	return nil
}

// wanted is what a value of a type looks like.
func wanted(kind devices.FieldType) string {
	switch {
	case kind == stamp:
		return "a whole number with i, such as 1772366400000i"
	case kind.Numeric():
		return "a number without i, such as 21 or 21.5"
	case kind == devices.Bool:
		return "true or false"
	}
	return `text in quotes, such as "open"`
}
