package people

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"linli/devices"
)

// Bounds of an import.
const (
	maxRecords = 50_000
	maxBad     = 1000 // listed; the rest is only counted
	writers    = 16   // records written at a time
)

// ErrBadImport says that an import has mistakes and nothing was written; the report lists them.
var ErrBadImport = errors.New("the import has mistakes, nothing was written")

// File is people and rotas as import reads and export writes them.
type File struct {
	People []Entry `json:"people,omitempty" yaml:"people,omitempty"`
	Rotas  []Rota  `json:"rotas,omitempty" yaml:"rotas,omitempty"`
}

// Entry is a person in a file. Away alone, without since, begins when it is imported.
type Entry struct {
	Person `yaml:",inline"`
	Away   bool `json:"away,omitempty" yaml:"away,omitempty"`
}

// Report says what an import did, or would do.
type Report struct {
	DryRun    bool     `json:"dry_run"`
	Unchanged int      `json:"unchanged"`
	Changes   []Record `json:"changes,omitempty"` // in the order of the file, people before rotas
	Bad       []Bad    `json:"bad,omitempty"`     // in the order of lines, at most 1000
	BadFields int      `json:"bad_fields"`        // all of them
}

// Record is one record that was added, or changed in these fields.
type Record struct {
	Kind   string   `json:"kind"` // person or rota
	ID     string   `json:"id"`
	Added  bool     `json:"added,omitempty"`
	Fields []string `json:"fields,omitempty"`
}

// Bad is one mistake of an import.
type Bad struct {
	Line   int    `json:"line"`
	Kind   string `json:"kind,omitempty"` // person, rota, or empty if it is about the file
	ID     string `json:"id,omitempty"`
	Field  string `json:"field,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
}

func (b Bad) String() string {
	s := strconv.Itoa(b.Line) + ": "
	if b.Kind != "" {
		s += b.Kind + " " + strconv.Quote(b.ID) + ": "
	}
	if b.Field != "" {
		s += b.Field + " " + strconv.Quote(b.Value) + " "
	}
	return s + b.Reason
}

// Import registers the people and rotas of a YAML file, or replaces what is registered of them. What a file does not say of who is
// away, of links that were ended, or of notes of a rota, stays as it is. With any mistake nothing is written and the error is ErrBadImport. After another
// error the same import again writes the rest.
func (d *Directory) Import(ctx context.Context, file io.Reader, now time.Time, dryRun bool) (Report, error) {
	im := &imported{d: d, report: Report{DryRun: dryRun}, people: map[string]*Person{}}
	data, err := io.ReadAll(file)
	if err != nil {
		return im.report, fmt.Errorf("read import: %w", err)
	}
	im.read(data)
	im.check(now)
	slices.SortStableFunc(im.report.Bad, func(a, b Bad) int { return cmp.Compare(a.Line, b.Line) })
	im.report.BadFields = len(im.report.Bad)
	im.report.Bad = im.report.Bad[:min(len(im.report.Bad), maxBad)]
	if im.report.BadFields > 0 {
		im.report.Changes = nil
		return im.report, ErrBadImport
	}
	if dryRun {
		return im.report, nil
	}
	return im.report, im.write(ctx)
}

// imported is the content of a file, checked against itself and the directory.
type imported struct {
	d      *Directory
	report Report
	file   File
	nodes  map[string][]*yaml.Node // of the records, by the list they are in
	people map[string]*Person      // of the file
	put    map[string]any          // what is to be written, by key
}

func (im *imported) bad(b Bad) { im.report.Bad = append(im.report.Bad, b) }

// read decodes the file strictly and remembers where each record stands.
func (im *imported) read(data []byte) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		im.syntax(err.Error())
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(&im.file)
	var wrong *yaml.TypeError
	switch {
	case errors.As(err, &wrong):
		for _, reason := range wrong.Errors {
			im.syntax(reason)
		}
		return
	case err != nil && !errors.Is(err, io.EOF):
		im.syntax(err.Error())
		return
	case len(im.file.People)+len(im.file.Rotas) > maxRecords:
		im.bad(Bad{Line: 1, Reason: fmt.Sprintf("the file has more than %d records", maxRecords)})
		im.file = File{}
		return
	}
	im.nodes = map[string][]*yaml.Node{}
	for _, doc := range root.Content {
		for i := 0; i+1 < len(doc.Content); i += 2 {
			im.nodes[doc.Content[i].Value] = doc.Content[i+1].Content
		}
	}
}

// node is where the i-th record of a list stands; the top of the file if it is not there but is merged in from elsewhere.
func (im *imported) node(list string, i int) *yaml.Node {
	if all := im.nodes[list]; i < len(all) {
		return all[i]
	}
	return &yaml.Node{Line: 1}
}

// syntax reports what the decoder says, which begins with the line.
func (im *imported) syntax(reason string) {
	reason = strings.TrimPrefix(reason, "yaml: ")
	line := 1
	if at, ok := strings.CutPrefix(reason, "line "); ok {
		number, rest, _ := strings.Cut(at, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, reason = n, rest
		}
	}
	im.file = File{}
	im.bad(Bad{Line: line, Reason: reason})
}

// check looks at every record beside all others: a circle may name who comes later.
func (im *imported) check(now time.Time) {
	seen := map[string]bool{}
	again := func(key string, node *yaml.Node) bool {
		if !seen[key] {
			seen[key] = true
			return false
		}
		kind, id, _ := strings.Cut(key, ".")
		im.bad(Bad{node.Line, kind, id, "id", id, "is in the file twice"})
		return true
	}
	for i := range im.file.People {
		if e := &im.file.People[i]; im.people[e.ID] == nil {
			im.people[e.ID] = e.person(im.d.Person(e.ID), now)
		}
	}
	known := func(id string) *Person {
		if p := im.people[id]; p != nil {
			return p
		}
		return im.d.Person(id)
	}
	im.put = map[string]any{}
	for i := range im.file.People {
		id, node := im.file.People[i].ID, im.node("people", i)
		if !again(personPrefix+id, node) {
			im.mistakes("person", id, node, im.d.check(im.people[id], known))
			im.difference("person", id, im.d.Person(id), im.people[id])
		}
	}
	for i := range im.file.Rotas {
		r, node := &im.file.Rotas[i], im.node("rotas", i)
		old := im.d.Rota(r.ID)
		if old != nil && len(r.Notes) == 0 {
			r.Notes = old.Notes
		}
		if !again(rotaPrefix+r.ID, node) {
			im.mistakes("rota", r.ID, node, im.d.checkRota(r, known))
			im.difference("rota", r.ID, old, r)
		}
	}
}

// person is the entry with what it leaves as it is.
func (e *Entry) person(old *Person, now time.Time) *Person {
	p := e.Person
	if old != nil && p.LinksSince == nil { // what was ended stays so
		p.LinksSince = old.LinksSince
	}
	if p.AwaySince != nil || p.AwayUntil != nil {
		return &p
	}
	if old != nil {
		p.AwaySince, p.AwayUntil = old.AwaySince, old.AwayUntil
	}
	if e.Away && !p.Away(now) {
		p.AwaySince, p.AwayUntil = &now, nil
	}
	return &p
}

func (im *imported) mistakes(kind, id string, node *yaml.Node, err error) {
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		return
	}
	for _, err := range all.Unwrap() {
		var wrong *devices.InvalidError
		if errors.As(err, &wrong) {
			im.bad(Bad{lineOf(node, wrong.Field), kind, id, wrong.Field, wrong.Value, wrong.Reason})
		}
	}
}

// lineOf is where the outermost part of a field stands in a record.
func lineOf(record *yaml.Node, field string) int {
	field, _, _ = strings.Cut(field, ".")
	for i := 0; i+1 < len(record.Content); i += 2 {
		if record.Content[i].Value == field {
			return record.Content[i].Line
		}
	}
	return record.Line
}

// difference notes what is to be written: a record that is new, or differs from the registered one.
func (im *imported) difference(kind, id string, old, now any) {
	r := Record{Kind: kind, ID: id, Added: reflect.ValueOf(old).IsNil()}
	if !r.Added {
		before, after := fields(old), fields(now)
		names := maps.Clone(before)
		maps.Copy(names, after)
		for name := range names {
			if !bytes.Equal(before[name], after[name]) {
				r.Fields = append(r.Fields, name)
			}
		}
		slices.Sort(r.Fields)
		if len(r.Fields) == 0 {
			im.report.Unchanged++
			return
		}
	}
	im.put[kind+"."+id] = now
	im.report.Changes = append(im.report.Changes, r)
}

// fields are the JSON fields of a record.
func fields(record any) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	data, err := json.Marshal(record)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return map[string]json.RawMessage{"": nil} // of our own types: cannot be
	}
	return out
}

// write stores what differs.
func (im *imported) write(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for key, record := range im.put {
		g.Go(func() error {
			return im.d.bucket.Edit(ctx, key, func([]byte) (any, error) { return record, nil })
		})
	}
	return g.Wait()
}
