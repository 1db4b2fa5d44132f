package devices

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example returns the files of testdata/catalogue.
func example(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"common.yaml", "bin.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata/catalogue", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

func TestTypeIsReadWhole(t *testing.T) {
	c, err := loadCatalogue([]layer{{"x", example(t)}})
	if err != nil {
		t.Fatal(err)
	}
	bin := c.Type("bin")
	if bin == nil || len(c.Types()) != 1 {
		t.Fatalf("got types %v, want bin alone", c.Types())
	}
	if !bin.Safety || !bin.Battery || bin.Health || bin.Period != 10*time.Minute || bin.File != "x/bin.yaml" {
		t.Errorf("head is %+v", bin)
	}
	door := bin.Field("door")
	want := &Field{
		ID: "door", Name: Text{"门", "Door"}, Type: Enum, Kind: State, Min: door.Min, Max: door.Max,
		Enum: []string{"closed", "lidOpen"}, Labels: []Text{{"关闭", "Closed"}, {"打开", "Open"}},
	}
	if diff := cmp.Diff(want, door); diff != "" {
		t.Errorf("field door (-want +got):\n%s", diff)
	}
	if f := bin.Field("battery_pct"); f == nil || !f.Common || f.Period != 6*time.Hour || f.Max != 100 {
		t.Errorf("common field is %+v", f)
	}
	if f := bin.Field("fill_pct"); f.Period != 24*time.Hour {
		t.Errorf("period of fill_pct is %v, want 24h", f.Period)
	}
	if tag := bin.Tag("care"); !tag.Registry || len(tag.Values) != 2 {
		t.Errorf("tag care is %+v", tag)
	}
	if e := bin.Event("emptied"); e.Field("door_was").Enum[1] != "lidOpen" || e.Field("none") != nil {
		t.Errorf("event emptied is %+v", e)
	}
	if bin.Event("online") == nil || bin.Command("reboot") == nil || bin.Command("open_door") == nil || bin.Attribute("depth_cm").Default != 120 {
		t.Error("an event, command or attribute is missing")
	}
	if len(bin.Rules.Content) != 3 || len(c.Common().Rules.Content) != 1 || bin.Rules.Content[0].Line != 28 {
		t.Errorf("rules are %d, common %d", len(bin.Rules.Content), len(c.Common().Rules.Content))
	}
}

// Each row breaks one line of the example and names what is to be said, and where.
func TestMistakesAreReportedWithTheirLine(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"unknown key", "battery: true", "batery: true", `c/bin.yaml:6: unknown key "batery"`},
		{"missing key", "tier: core\n", "", `c/bin.yaml:1: key "tier" is missing`},
		{"key twice", "safety: true", "tier: core", `c/bin.yaml:5: key "tier" is here twice, first in line 4`},
		{"syntax", "tags:", "tags: [", `c/bin.yaml:9: did not find expected node content`},
		{"alias", "period: 10m", "period: &p 10m\nhealth: *p", `c/bin.yaml:8: aliases are not supported`},
		{"no English", "zh: 垃圾桶, en: Bin", "zh: 垃圾桶", `c/bin.yaml:2: key "en" is missing`},
		{"empty name", "en: Bin}", `en: " "}`, `c/bin.yaml:2: want text (quote it if it looks like a number), got " "`},
		{"name of a number", "en: Bin}", "en: 12}", `c/bin.yaml:2: want text (quote it if it looks like a number), got "12"`},
		{"file name", "id: bin\n", "id: bins\n", `c/bin.yaml:1: type "bins" must be in a file of its name, bins.yaml`},
		{"id", "id: bin\n", "id: Bin\n", `c/bin.yaml:1: "Bin" is not an identifier: a-z, 0-9, _ and -`},
		{"reserved measurement", "measurement: bin", "measurement: event", `c/bin.yaml:3: "event" is a reserved name`},
		{"tier", "tier: core", "tier: gold", `c/bin.yaml:4: want one of core, extension, got "gold"`},
		{"flag", "safety: true", "safety: yes", `c/bin.yaml:5: want true or false, got "yes"`},
		{"period", "period: 10m\n", "period: ten\n", `c/bin.yaml:7: want a duration above zero such as 30s, 10m, 24h or 1d, got "ten"`},
		{"negative period", "period: 10m\n", "period: -10m\n", `c/bin.yaml:7: want a duration above zero such as 30s, 10m, 24h or 1d, got "-10m"`},
		{"tag", "id: inlet", "id: in-let", `c/bin.yaml:10: "in-let" is not a name: a-z, 0-9 and _, a letter first`},
		{"tag value", "dementia:", "Dementia:", `c/bin.yaml:11: "Dementia" is not an identifier: a-z, 0-9, _ and -`},
		{"tag value twice", "dementia:", "lives_alone:", `c/bin.yaml:11: key "lives_alone" is here twice, first in line 11`},
		{"tag value without a name", "{zh: 失智, en: Dementia}", "{en: Dementia}", `c/bin.yaml:11: key "zh" is missing`},
		{"tag values of a list", "values: {lives_alone: {zh: 独居, en: Lives alone}, dementia: {zh: 失智, en: Dementia}}", "values: [alone, Alone]", `c/bin.yaml:11: "Alone" is not an identifier: a-z, 0-9, _ and -`},
		{"tag value of a list twice", "values: {lives_alone: {zh: 独居, en: Lives alone}, dementia: {zh: 失智, en: Dementia}}", "values: [alone, alone]", `c/bin.yaml:11: value "alone" is here twice`},
		{"tag names beside values", "registry: true, values", "registry: true, names: {x: {zh: 甲, en: X}}, values", `c/bin.yaml:11: names are for a tag without values, which have theirs`},
		{"tag and field", "id: inlet", "id: door", `c/bin.yaml:10: field door is here twice, first in line 18`},
		{"unknown unit", "unit: cm", "unit: inch", `c/bin.yaml:13: unknown unit "inch": "inch" is no UCUM atom of the table in unit.go`},
		{"default", "default: 120", "default: deep", `c/bin.yaml:13: want a number, got "deep"`},
		{"infinite", "default: 120", "default: .inf", `c/bin.yaml:13: want a finite number, got ".inf"`},
		{"enum value", "lidOpen:", `"lid open":`, `c/bin.yaml:15: "lid open" is not an enum value: letters, digits, _, . and -`},
		{"unused enum", "  door:", "  gate: {a: {zh: 甲, en: A}}\n  door:", `c/bin.yaml:15: enum "gate" is not used`},
		{"unknown enum", "id: door, name", "id: gate, name", `c/bin.yaml:18: unknown enum "gate"`},
		{"min above max", "[0, 110]", "[110, 0]", `c/bin.yaml:17: min 110 is not below max 0`},
		{"min equal max", "[0, 110]", "[0, 0]", `c/bin.yaml:17: min 0 is not below max 0`},
		{"half a range", "[0, 110]", "[0]", `c/bin.yaml:17: want [min, max], got a list`},
		{"no range", "range: [0, 110], ", "", `c/bin.yaml:17: field "fill_pct" has no range`},
		{"no unit", `unit: "%", type: float, kind: gauge, range: [0, 110]`, `type: float, kind: gauge, range: [0, 110]`, `c/bin.yaml:17: field "fill_pct" has no unit`},
		{"fraction", "[0, 4294967295]", "[0.5, 4294967295]", `c/bin.yaml:19: range of the int "deliveries" has a fraction`},
		{"negative counter", "[0, 4294967295]", "[-1, 4294967295]", `c/bin.yaml:19: counter "deliveries" cannot go below 0`},
		{"activity of an enum", "type: enum, kind: state", "type: enum, kind: state, activity: 0", `c/bin.yaml:18: field "door" of type enum cannot show activity`},
		{"unit of a bool", "type: bool", `type: bool, unit: "1"`, `c/bin.yaml:20: "mains" of type bool has no unit and no range`},
		{"kind of a bool", "type: bool, kind: state", "type: bool, kind: gauge", `c/bin.yaml:20: field "mains" of type bool cannot be of kind gauge`},
		{"type", "type: bool", "type: boolean", `c/bin.yaml:20: want one of bool, enum, float, int, string, got "boolean"`},
		{"field twice", "id: mains", "id: firmware", `c/bin.yaml:21: field firmware is here twice, first in line 20`},
		{"reserved field", "id: mains", "id: ts", `c/bin.yaml:20: "ts" is a reserved name`},
		{"reserved event field", "id: removed_kg", "id: late", `c/bin.yaml:23: "late" is a reserved name`},
		{"event twice", "id: fire,", "id: emptied,", `c/bin.yaml:24: event emptied is here twice, first in line 23`},
		{"event field twice", "id: door_was", "id: removed_kg", `c/bin.yaml:23: "removed_kg" is here twice`},
		{"event of common.yaml", "id: fire,", "id: online,", `c/bin.yaml:24: event online is in common.yaml for every type`},
		{"storage", "id: removed_kg", "id: reason", `c/common.yaml:4: event field "reason" is stored as string, but as number at c/bin.yaml:23`},
		{"storage of a series tag", "id: removed_kg", "id: inlet", `c/bin.yaml:23: event field "inlet" is stored as number, but as string at c/bin.yaml:10`},
		{"reserved series tag", "id: inlet", "id: event", `c/bin.yaml:10: "event" is a reserved name`},
		{"rule field", "field: fill_pct", "field: fil_pct", `c/bin.yaml:28: rule on unknown field "fil_pct"`},
		{"rule fields", "[door, battery_pct]", "[door, battery]", `c/bin.yaml:30: rule on unknown field "battery"`},
		{"rule event", "event: fire", "event: smoke", `c/bin.yaml:29: rule on unknown event "smoke"`},
		{"rule kind", "kind: event", "kind: evnt", `c/bin.yaml:29: unknown kind "evnt" of a rule`},
		{"rule twice", "id: bin_door", "id: bin_full", `c/bin.yaml:30: rule "bin_full" is at c/bin.yaml:28 already`},
		{"rule of common.yaml", "id: bin_door", "id: dev_battery_low", `c/common.yaml:8: rule "dev_battery_low" is at c/bin.yaml:30 already`},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := example(t)
			text := string(files["bin.yaml"].Data)
			if !strings.Contains(text, test.old) {
				t.Fatalf("the example has no %q", test.old)
			}
			files["bin.yaml"].Data = []byte(strings.Replace(text, test.old, test.new, 1))
			_, err := loadCatalogue([]layer{{"c", files}})
			if err == nil {
				t.Fatalf("loaded, want %q", test.want)
			}
			if lines := strings.Split(err.Error(), "\n"); !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, test.want) }) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
			if fe := new(FileError); !errors.As(err, &fe) {
				t.Errorf("%T is no *FileError", err)
			}
		})
	}
}

func TestEveryTagValueOfOursHasAName(t *testing.T) {
	t.Parallel()
	cat, err := LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range cat.Types() {
		for _, tag := range typ.Tags {
			for _, v := range tag.Values {
				if tag.Names[v] == (Text{}) {
					t.Errorf("%s: value %s of tag %s has no name", typ.ID, v, tag.ID)
				}
			}
		}
	}
}

func TestAllMistakesAreReportedInOrder(t *testing.T) {
	files := example(t)
	text := string(files["bin.yaml"].Data)
	files["bin.yaml"].Data = []byte(strings.NewReplacer("tier: core", "tier: gold", "unit: cm", "unit: inch", "[0, 110]", "[1, 0]").Replace(text))
	files["common.yaml"].Data = append(files["common.yaml"].Data, "extra: 1\n"...)
	files["bin2.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "id: bin\n", "id: bin2\n"))}
	_, err := loadCatalogue([]layer{{"c", files}})
	want := `c/bin.yaml:4: want one of core, extension, got "gold"
c/bin.yaml:13: unknown unit "inch": "inch" is no UCUM atom of the table in unit.go
c/bin.yaml:17: min 1 is not below max 0
c/bin2.yaml:3: measurement "bin" is at c/bin.yaml:3 already
c/bin2.yaml:28: rule "bin_full" is at c/bin.yaml:28 already
c/bin2.yaml:29: rule "bin_fire" is at c/bin.yaml:29 already
c/bin2.yaml:30: rule "bin_door" is at c/bin.yaml:30 already
c/common.yaml:9: unknown key "extra"`
	if err == nil {
		t.Fatal("loaded")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestEmptyAndSecondDocumentsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "c/x.yaml:1: the file is empty",
		"# nothing":                          "c/x.yaml:1: the file is empty",
		"a: 1\n---\nb: 1":                    "c/x.yaml:2: a second document in one file",
		"- 1":                                "c/x.yaml:1: want a mapping, got a list",
		"id: [":                              "c/x.yaml:1: did not find expected node content",
		strings.Repeat("# x\n", maxFile/4+1): "c/x.yaml:1: the file is larger than 1048576 bytes",
	} {
		_, err := loadCatalogue([]layer{{"c", fstest.MapFS{"x.yaml": &fstest.MapFile{Data: []byte(text)}}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %s", text, err, want)
		}
	}
}

func TestDirectoryAddsAndReplacesTypes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := string(example(t)["bin.yaml"].Data)
	renamed := strings.NewReplacer("id: bin\n", "id: barrel\n", "measurement: bin", "measurement: barrel", "bin_", "barrel_")
	write("barrel.yaml", renamed.Replace(base))
	before, err := LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	after, err := LoadCatalogue(dir)
	if err != nil {
		t.Fatal(err)
	}
	if barrel := after.Type("barrel"); barrel == nil || barrel.Field("fill_pct") == nil || len(after.Types()) != len(before.Types())+1 {
		t.Fatalf("barrel is %+v among %d types", barrel, len(after.Types()))
	}

	write("barrel.yaml", strings.Replace(renamed.Replace(base), "period: 10m", "period: 5m", 1))
	write("notes.txt", "not a type")
	over, err := LoadCatalogue(dir)
	if err != nil || over.Type("barrel").Period != 5*time.Minute {
		t.Errorf("period is %v, %v; want the replaced 5m", over.Type("barrel").Period, err)
	}

	write("barrel.yml", "")
	if _, err := LoadCatalogue(dir); err == nil || !strings.Contains(err.Error(), "rename barrel.yml to .yaml") {
		t.Errorf("got %v for a .yml", err)
	}
	if _, err := LoadCatalogue(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for a missing directory", err)
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "36h": 36 * time.Hour,
		"": -1, "d": -1, "1d-2h": -1, "-1d": -1, "1w": -1, "99999d": -1, "1.5d": -1,
	} {
		got, err := ParseDuration(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || got != want) {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
}

func FuzzCatalogue(f *testing.F) {
	for _, file := range example(f) {
		f.Add(file.Data)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("---"))
	f.Add([]byte("\u00850"))
	f.Add([]byte("fields:\n- {id: x, range: [.nan, 1e999], type: !!int 0x1}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := parseType("c/x.yaml", data)
		for _, e := range append(p.errs, crossCheck(map[string]*parsedType{"x.yaml": p})...) {
			if e.Line < 1 || e.Line > breaks(data)+1 || e.Reason == "" {
				t.Fatalf("%q: bad place or empty reason: %v", data, e)
			}
		}
	})
}

// breaks counts what YAML 1.1 takes for the end of a line.
func breaks(data []byte) int {
	n := 0
	for _, b := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		n += strings.Count(string(data), b)
	}
	return n
}
