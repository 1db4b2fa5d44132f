package devices

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed catalogue/*.yaml
var builtin embed.FS

// commonFile holds the fields, events, commands and rules that every type has.
const commonFile = "common.yaml"

// EventMeasurement is the measurement all events share; no type may have it.
const EventMeasurement = "event"

// Catalogue is every device type of an installation. It does not change after loading.
type Catalogue struct {
	types  map[string]*Type
	sorted []*Type
	common *Type
}

// Types returns every type in the order of their ids.
func (c *Catalogue) Types() []*Type { return c.sorted }

// Type returns the type of that id, or nil.
func (c *Catalogue) Type(id string) *Type { return c.types[id] }

// Common holds what every type has: fields, events, commands and rules. It has no id and no measurement.
func (c *Catalogue) Common() *Type { return c.common }

// LoadCatalogue reads the built-in types and then every *.yaml of dirs: a new file adds a type, a file of a known name
// replaces it. The error joins a *FileError for every mistake, in the order of files and lines.
func LoadCatalogue(dirs ...string) (*Catalogue, error) {
	base, err := fs.Sub(builtin, "catalogue")
	if err != nil {
		return nil, err
	}
	layers := []layer{{"catalogue", base}}
	for _, dir := range dirs {
		layers = append(layers, layer{filepath.ToSlash(dir), os.DirFS(dir)})
	}
	return loadCatalogue(layers)
}

// ReadCatalogue reads the types of files alone, without the built-in ones.
func ReadCatalogue(files fs.FS) (*Catalogue, error) { return loadCatalogue([]layer{{".", files}}) }

// layer is a directory of type files; name is what errors call it.
type layer struct {
	name string
	fs   fs.FS
}

func loadCatalogue(layers []layer) (*Catalogue, error) {
	from := map[string]layer{}
	for _, l := range layers {
		entries, err := fs.ReadDir(l.fs, ".")
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", l.name, err)
		}
		for _, e := range entries {
			switch path.Ext(e.Name()) {
			case ".yaml":
				from[e.Name()] = l
			case ".yml":
				return nil, fmt.Errorf("read catalogue %s: rename %s to .yaml", l.name, e.Name())
			}
		}
	}
	var errs []*FileError
	parsed := map[string]*parsedType{}
	for name, l := range from {
		data, err := fs.ReadFile(l.fs, name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", l.name, err)
		}
		p := parseType(path.Join(l.name, name), data)
		parsed[name] = p
		errs = append(errs, p.errs...)
	}
	errs = append(errs, crossCheck(parsed)...)
	if len(errs) > 0 {
		return nil, joinSorted(errs)
	}
	return assemble(parsed), nil
}

func joinSorted(errs []*FileError) error {
	slices.SortFunc(errs, func(a, b *FileError) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Reason, b.Reason))
	})
	all := make([]error, len(errs))
	for i, e := range errs {
		all[i] = e
	}
	return errors.Join(all...)
}

// assemble merges the common part into every type.
func assemble(parsed map[string]*parsedType) *Catalogue {
	c := &Catalogue{types: map[string]*Type{}, common: &Type{}}
	if p := parsed[commonFile]; p != nil {
		c.common = p.Type
	}
	for _, f := range c.common.Fields {
		f.Common = true
	}
	c.common.index()
	for name, p := range parsed {
		if name == commonFile {
			continue
		}
		t := p.Type
		t.Fields = append(t.Fields, c.common.Fields...)
		t.Events = append(t.Events, c.common.Events...)
		t.Commands = append(t.Commands, c.common.Commands...)
		t.index()
		c.types[t.ID] = t
	}
	for _, id := range slices.Sorted(maps.Keys(c.types)) {
		c.sorted = append(c.sorted, c.types[id])
	}
	return c
}

func (t *Type) index() {
	t.fields = byID(t.Fields, func(f *Field) string { return f.ID })
	t.tags = byID(t.Tags, func(x *Tag) string { return x.ID })
	t.events = byID(t.Events, func(e *Event) string { return e.ID })
	for _, e := range t.Events {
		e.fields = byID(e.Fields, func(f *Field) string { return f.ID })
	}
}

func byID[T any](all []*T, id func(*T) string) map[string]*T {
	m := make(map[string]*T, len(all))
	for _, x := range all {
		m[id(x)] = x
	}
	return m
}

// crossCheck finds the mistakes that show only with all files at hand.
func crossCheck(parsed map[string]*parsedType) []*FileError {
	c := checker{storage: map[string]storedAs{}, unique: map[string]place{}}
	common := parsed[commonFile]
	// In the order of names, so that the same mistake is reported at the same place every time.
	for _, name := range slices.Sorted(maps.Keys(parsed)) {
		p := parsed[name]
		if p.ID != "" && name != p.ID+".yaml" {
			c.fail(p, p.at[&p.ID], "type %q must be in a file of its name, %s.yaml", p.ID, p.ID)
		}
		c.once(p, p.at[&p.Measurement], "measurement", p.Measurement)
		c.events(p)
		c.rules(p, common)
		if common != nil && p != common {
			c.shadowing(p, common)
		}
	}
	return c.errs
}

type place struct {
	file string
	line int
}

type storedAs struct {
	place
	storage string
}

type checker struct {
	errs    []*FileError
	unique  map[string]place
	storage map[string]storedAs // of event fields
}

func (c *checker) fail(p *parsedType, line int, format string, args ...any) {
	c.errs = append(c.errs, &FileError{p.file, line, fmt.Sprintf(format, args...)})
}

// once reports a name that another file has already.
func (c *checker) once(p *parsedType, line int, what, name string) {
	if name == "" {
		return
	}
	if first, twice := c.unique[what+" "+name]; twice {
		c.fail(p, line, "%s %q is at %s:%d already", what, name, first.file, first.line)
		return
	}
	c.unique[what+" "+name] = place{p.file, line}
}

// events checks that a field id has one storage type over all events: they share a measurement.
// Series tags join it as text when an event has them.
func (c *checker) events(p *parsedType) {
	for _, t := range p.Tags {
		if !t.Registry {
			c.stored(p, p.at[t], t.ID, String)
		}
	}
	for _, e := range p.Events {
		for _, f := range e.Fields {
			if f.Type != 0 {
				c.stored(p, p.at[f], f.ID, f.Type)
			}
		}
	}
}

func (c *checker) stored(p *parsedType, line int, id string, as FieldType) {
	first, known := c.storage[id]
	if !known {
		c.storage[id] = storedAs{place{p.file, line}, as.Storage()}
	} else if first.storage != as.Storage() {
		c.fail(p, line, "event field %q is stored as %s, but as %s at %s:%d", id, as.Storage(), first.storage, first.file, first.line)
	}
}

// shadowing reports fields, events and commands that common.yaml has too.
func (c *checker) shadowing(p, common *parsedType) {
	taken := map[string]bool{}
	for _, name := range common.names() {
		taken[name.id] = true
	}
	for _, name := range p.names() {
		if taken[name.id] {
			c.fail(p, name.line, "%s is in %s for every type", name.id, commonFile)
		}
	}
}

// ruleKinds are the kinds of rules there are; package alerts says what each means.
var ruleKinds = strings.Fields("event threshold state absence rate window count sequence derived compound geofence")

// rules checks the head of every rule; the rest is the business of package alerts.
func (c *checker) rules(p, common *parsedType) {
	for _, rule := range p.Rules.Content {
		var id, kind string
		r := reader{file: p.file}
		if rule.Kind != yaml.MappingNode {
			c.fail(p, rule.Line, "want a mapping, got %s", describe(rule))
			continue
		}
		if n := value(rule, "id"); n == nil {
			r.fail(rule.Line, "key %q is missing", "id")
		} else if r.id(&id, identifier)(n); id != "" {
			c.once(p, n.Line, "rule", id)
		}
		if n := value(rule, "kind"); n == nil {
			r.fail(rule.Line, "key %q is missing", "kind")
		} else if r.str(&kind)(n); kind != "" && !slices.Contains(ruleKinds, kind) {
			r.fail(n.Line, "unknown kind %q of a rule", kind)
		}
		for _, key := range []string{"field", "fields", "event", "events"} {
			n := value(rule, key)
			if n == nil {
				continue
			}
			of := strings.TrimSuffix(key, "s")
			names := []*yaml.Node{n}
			if n.Kind == yaml.SequenceNode {
				names = n.Content
			}
			for _, name := range names {
				if !p.has(of, name.Value) && (common == nil || !common.has(of, name.Value)) {
					r.fail(name.Line, "rule on unknown %s %q", of, name.Value)
				}
			}
		}
		c.errs = append(c.errs, r.errs...)
	}
}
