package web

import (
	"os"
	"regexp"
	"testing"

	"linli/devices"
)

// TestEveryFieldOfAnEventHasAWord reads the pages: what an event carries is called by a name, or is for programs only.
func TestEveryFieldOfAnEventHasAWord(t *testing.T) {
	words := func(file, list, each string) map[string]bool {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?s)` + list).FindSubmatch(code)
		if found == nil {
			t.Fatalf("%s has no list %s: the test does not see it any more", file, list)
		}
		all := map[string]bool{}
		for _, m := range regexp.MustCompile(each).FindAllSubmatch(found[1], -1) {
			all[string(m[1])] = true
		}
		return all
	}
	named := words("ui/src/texts/zh.ts", `\n  payload: \{(.*?)\n  \}`, `(\w+): '`)
	machine := words("ui/src/payload.ts", `machine = new Set\(\[(.*?)\]`, `'(\w+)'`)
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range cat.Types() {
		for _, e := range typ.Events {
			for _, f := range e.Fields {
				if typ.Field(f.ID) == nil && typ.Tag(f.ID) == nil && !named[f.ID] && !machine[f.ID] {
					t.Errorf("%s.%s: the pages have no word for the field %s", typ.ID, e.ID, f.ID)
				}
			}
		}
	}
}
