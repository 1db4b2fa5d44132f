package alerts

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
)

// Rules are all rules of an installation, ready to run. They do not change after loading.
type Rules struct {
	all      []*Rule
	cat      *devices.Catalogue
	counting map[string]*bound   // count rules by name
	programs map[string]*program // by measurement
	byType   map[string]*program // by device type
	byID     map[string]*Rule    // with those that have no file
	plans    map[planKey]*Plan
	causes   []edge
	sequels  map[string][]stepUse // by stepKey: the sequences that it takes part in
	looking  map[string][]*bound  // by rule: those that look at its alerts
	files    []file               // of the rules directories
	changes  []*override          // in the order of files
	followed map[string]bool      // rules whose alerts others look at
	confirms map[string][]*Rule   // by rule: those whose alerts it confirms
	signs    map[lifeSign][]*Rule // absence rules, by events of other types that they count
}

// All are the rules in the order of device types, then of files.
func (r *Rules) All() []*Rule { return r.all }

// Rule returns the rule of that id, or nil.
func (r *Rules) Rule(id string) *Rule {
	i := slices.IndexFunc(r.all, func(r *Rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return r.all[i]
}

// LoadRules reads the rules of the catalogue and then of every *.yaml in dirs. The error joins a *devices.FileError for every
// mistake, in the order of files and lines. Examples are parsed, but not replayed: see Rule.Replay.
func LoadRules(cat *devices.Catalogue, dirs ...string) (*Rules, error) {
	var files []file
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read rules: %w", err)
			}
			files = append(files, file{name, data})
		}
	}
	return load(cat, files, nil)
}

// file is one of a rules directory, or what the settings say under one key.
type file struct {
	name string
	data []byte
}

const settingsFile = "settings " // begins what mistakes in a document of the settings name as their file

// With are the same rules with what the settings say of them, by name: documents of overrides.
func (r *Rules) With(settings map[string][]byte) (*Rules, error) {
	var said []file
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		said = append(said, file{settingsFile + name, settings[name]})
	}
	return load(r.cat, r.files, said)
}

func load(cat *devices.Catalogue, files, settings []file) (*Rules, error) {
	l := &loader{cat: cat, ids: map[string]*Rule{}}
	for _, t := range append(slices.Clone(cat.Types()), cat.Common()) {
		if t.Rules.Kind != 0 {
			l.parse(t.File, &t.Rules, t)
		}
	}
	for _, f := range slices.Concat(files, settings) {
		l.file(f.name, f.data)
	}
	rules := l.bind()
	rules.files, rules.changes = files, l.overrides
	if len(l.errs) > 0 {
		return nil, l.err()
	}
	return rules, nil
}

type loader struct {
	cat   *devices.Catalogue
	rules []*Rule
	ids   map[string]*Rule
	ladders
	errs []*devices.FileError
	days *calendar // use calendar()

	sequels   map[string][]stepUse // of the rules being bound
	overrides []*override
}

// calendar is what the installation knows of its days. Schedules share it, so a file may add to it after they are read.
func (l *loader) calendar() *calendar {
	if l.days == nil {
		l.days = &calendar{holidays: map[date]devices.Text{}, workdays: map[date]bool{}}
		l.file("calendar.yaml", builtinCalendar)
	}
	return l.days
}

// err joins the mistakes. One rule on several types makes the same mistake several times; it is told once.
func (l *loader) err() error {
	slices.SortStableFunc(l.errs, func(a, b *devices.FileError) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Reason, b.Reason))
	})
	var all []error
	for _, e := range slices.CompactFunc(l.errs, func(a, b *devices.FileError) bool { return *a == *b }) {
		all = append(all, e)
	}
	return errors.Join(all...)
}

func (l *loader) fail(file string, line int, format string, args ...any) {
	l.errs = append(l.errs, &devices.FileError{File: file, Line: line, Reason: fmt.Sprintf(format, args...)})
}

// file reads a file of a --rules directory.
func (l *loader) file(name string, data []byte) {
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); err != nil {
		l.fail(name, 1, "%v", err)
		return
	}
	r := &reader{file: name}
	keys := l.ladders.keys(&parser{r, nil, l.calendar()})
	keys["rules"] = func(n *yaml.Node) { l.parse(name, n, nil) }
	keys["overrides"] = func(n *yaml.Node) {
		p := &parser{r, nil, l.calendar()}
		p.overrides(&l.overrides)(n)
	}
	keys["calendar"] = func(n *yaml.Node) { l.calendar().read(r)(n) }
	r.mapping(doc.Content[0], keys)
	l.errs = append(l.errs, r.errs...)
}

func (l *loader) parse(file string, n *yaml.Node, own *devices.Type) {
	if own == l.cat.Common() {
		own = nil
	}
	p := &parser{&reader{file: file}, own, l.calendar()}
	for _, r := range p.rules(n) {
		if first := l.ids[r.ID]; first != nil {
			p.fail(r.Line, "rule %s is at %s:%d already", r.ID, first.File, first.Line)
			continue
		}
		l.ids[r.ID] = r
		if r.spec != nil { // else the kind is a mistake
			l.rules = append(l.rules, r)
		}
	}
	l.errs = append(l.errs, p.errs...)
}

// bind checks every rule against its device types and makes the programs of the types.
func (l *loader) bind() *Rules {
	rules := &Rules{
		all: l.rules, cat: l.cat, programs: map[string]*program{}, byType: map[string]*program{}, counting: map[string]*bound{},
		signs: map[lifeSign][]*Rule{}, confirms: map[string][]*Rule{},
		sequels: map[string][]stepUse{}, looking: map[string][]*bound{}, followed: map[string]bool{},
	}
	l.sequels = rules.sequels
	for _, t := range l.cat.Types() {
		p := newProgram(t)
		rules.programs[t.Measurement], rules.byType[t.ID] = p, p
	}
	var all []*bound
	for _, r := range l.rules {
		r.set = rules
		l.references(r)
		for _, a := range r.silence.also {
			a.line = 0
			rules.signs[a] = append(rules.signs[a], r)
		}
		for _, id := range r.looksAt() {
			rules.followed[id] = true
		}
		l.confirmation(r)
		if r.confirmation != nil {
			rules.followed[r.ID] = true
			for _, id := range r.confirmation.rules {
				rules.followed[id] = true
				rules.confirms[id] = append(rules.confirms[id], r)
			}
		}
		for _, t := range l.typesOf(r) {
			b := binder{l, r, t}
			bounds := b.bind()
			rules.byType[t.ID].add(bounds)
			if r.Kind == CountKind && len(bounds) > 0 {
				rules.counting[bounds[0].name] = bounds[0]
			}
			all = append(all, bounds...)
		}
	}
	for _, b := range all {
		rules.link(b)
	}
	l.override(rules)
	l.circles()
	for _, p := range rules.programs {
		p.addBuiltin()
	}
	l.escalate(rules)
	return rules
}

func (l *loader) typesOf(r *Rule) (types []*devices.Type) {
	if len(r.Types) == 0 {
		for _, id := range r.Except {
			if l.cat.Type(id) == nil {
				l.fail(r.File, r.Line, "rule %s: unknown device type %q", r.ID, id)
			}
		}
		return slices.DeleteFunc(slices.Clone(l.cat.Types()), func(t *devices.Type) bool { return slices.Contains(r.Except, t.ID) })
	}
	for _, id := range r.Types {
		t := l.cat.Type(id)
		if t == nil {
			l.fail(r.File, r.Line, "rule %s: unknown device type %q", r.ID, id)
			continue
		}
		types = append(types, t)
	}
	return types
}

// references checks the rules that r names.
func (l *loader) references(r *Rule) {
	for _, s := range r.signals {
		if s.rule != "" && l.ids[s.rule] == nil {
			l.fail(r.File, s.line, "rule %s: unknown rule %q", r.ID, s.rule)
		}
	}
	for _, s := range []*step{r.first, r.then, r.without} {
		if s != nil && s.rule != "" && l.ids[s.rule] == nil {
			l.fail(r.File, s.line, "rule %s: unknown rule %q", r.ID, s.rule)
		}
	}
}

// Rules that the engine has without a file. What a device of life-safety says is never lost for want of a rule.
var (
	safetyEvent = &Rule{
		ID: "safety_event", Kind: EventKind, spec: eventKind, Name: devices.Text{ZH: "紧急事件", EN: "Life-safety event"},
		Severity: bus.Critical, Category: "health", Basis: "judgement", Safety: true, Latched: true,
	}
	maintenance = &Rule{
		ID: "dev_maintenance", Kind: EventKind, spec: eventKind, Name: devices.Text{ZH: "设备检修中", EN: "Device in maintenance"},
		Severity: bus.Informational, Category: "device", Basis: "judgement",
		Events: []string{"maintenance_start"}, clearedBy: "maintenance_end",
	}
)
