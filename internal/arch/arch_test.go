package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// allowed lists, for every package, which of our packages it may import outside its tests. A package that is missing here
// fails the test: new packages are placed deliberately.
var allowed = map[string][]string{
	"bus/bucket":       {},
	"devices":          {"bus/bucket"},
	"bus":              {"devices"},
	"series":           {"devices"},
	"seeds":            {"bus", "devices", "people"},
	"devices/simulate": {"devices", "people", "seeds"},
	"ingest":           {"bus", "devices"},
	"ingest/store":     {"bus", "devices", "series"},
	"people":           {"bus", "bus/bucket", "devices"},
	"alerts":           {"bus", "devices", "people"},
	"alerts/notify":    {"bus", "devices"},
	"web":              {"bus", "devices", "people", "series", "web/account"},
	"web/account":      {"bus/bucket", "devices"},
	"app/embedded":     {"bus", "devices", "series"},
	"app/watch":        {"bus"},
	"app/command":      {"devices", "people"},
	"app": {
		"alerts", "alerts/notify", "app/command", "app/embedded", "app/watch", "bus", "devices", "devices/simulate",
		"ingest", "ingest/store", "people", "seeds", "series", "web",
	},
	"cmd/linli": {"app", "app/command"},
}

type pkg struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "linli/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportDirection(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, "linli/")
		if strings.HasPrefix(name, "internal/") {
			continue
		}
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s has no place in the architecture: add it to the table with what it may import", name)
			continue
		}
		ok := map[string]bool{"linli/internal/failpoint": true}
		for _, m := range may {
			ok["linli/"+m] = true
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "linli/") && !ok[i] {
				t.Errorf("%s imports %s", name, i)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range list(t) {
		if p.Doc == "" {
			t.Errorf("package %s has no comment", p.ImportPath)
		}
		for _, bad := range []string{"util", "common", "helpers", "types", "models", "pkg"} {
			if strings.HasSuffix(p.ImportPath, "/"+bad) {
				t.Errorf("package %s: %q is not a concept", p.ImportPath, bad)
			}
		}
	}
}
