package devices_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/devices"
)

const goodCSV = "\ufeffid,community,type,name,estate,building,unit,zone,gateway,person,tags,attributes\r\n" +
	"c1,north,bin,\"一号, 东门\",e1,b1,u1,,gw,p1,care=dementia,depth_cm=90.5\r\n" + // its gateway comes later
	"gw,north,bin,,,,,,,,,\r\n" +
	",,,,,,,,,,,\r\n" +
	"c2, north ,bin,,e2,,,roof,,,,\r\n"

func TestImport(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()

	dry, err := s.ImportDevices(ctx, strings.NewReader(goodCSV), true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(devices.Report{DryRun: true, Rows: 3, Added: 3}, dry); diff != "" {
		t.Errorf("dry run (-want +got):\n%s", diff)
	}
	if len(s.Devices()) != 0 {
		t.Fatal("a dry run wrote")
	}

	report, err := s.ImportDevices(ctx, strings.NewReader(goodCSV), false)
	if err != nil || report.Added != 3 || len(report.Issued) != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	for i, id := range []string{"c1", "gw", "c2"} {
		if issued := report.Issued[i]; issued.ID != id || !s.Verify(s.Device(id), issued.Secret.Reveal()) {
			t.Errorf("secret %d is of %s and may be refused, want that of %s", i, issued.ID, id)
		}
	}
	want := devices.Device{
		ID: "c1", Community: "north", Type: "bin", Name: "一号, 东门", Place: devices.Place{Estate: "e1", Building: "b1", Unit: "u1"}, Gateway: "gw",
		Person: "p1", Tags: map[string]string{"care": "dementia"}, Attributes: map[string]float64{"depth_cm": 90.5}, State: devices.Active,
	}
	got := *s.Device("c1")
	want.SecretHash, want.Created = got.SecretHash, got.Created
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("c1 (-want +got):\n%s", diff)
	}

	again, err := s.ImportDevices(ctx, strings.NewReader(goodCSV), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(devices.Report{Rows: 3, Unchanged: 3}, again); diff != "" {
		t.Errorf("second run (-want +got):\n%s", diff)
	}
}

func TestImportListsEveryMistake(t *testing.T) {
	s := newSite(t)
	s.add(t, devices.Device{ID: "there", Community: "north", Type: "bin", Name: "在"})
	file := `id,community,type,name,estate,building,unit,zone,gateway,person,tags,attributes
ok,north,bin,,,,,,,,,
Bad Id,north,bin,,,,,,,,,
d1,west,bin,,,,,,,,,
d2,north,robot,=cmd(),,,,,,,,
d3,north,bin,,e9,,,,,,,
d4,north,bin,,,,,,none,nobody,,
d5,north,bin,,,,,,,,care,depth_cm=deep
d6,north,bin,,,,,,,,care=rich;care=rich,depth=1
ok,north,bin,,,,,,,,,
there,north,bin,不在,,,,,,,,
d7,north
d8,north,bin,a"b,,,,,,,,
d9,north,bin,` + "\xff" + `,,,,,,,,
d10,north,bin,` + strings.Repeat("长", 400) + `,,,,,,,,
d11,north,bin,,,,,,,,,depth_cm=NaN
`
	want := []devices.BadCell{
		{3, "id", "Bad Id", "is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit"},
		{4, "community", "west", "is not registered"},
		{5, "name", "=cmd()", "begins like a spreadsheet formula"},
		{5, "type", "robot", "is not in the catalogue"},
		{6, "estate", "e9", `is not in community "north"`},
		{7, "person", "nobody", `is not registered in community "north"`},
		{7, "gateway", "none", "is not registered"},
		{8, "tags", "care", `has "care", want key=value`},
		{8, "attributes", "depth_cm=deep", `has no number for "depth_cm"`},
		{9, "tags", "care=rich;care=rich", `has "care" twice`},
		{9, "tags", "care=rich", "is not one of lives_alone, dementia"},
		{9, "attributes", "depth", `is not an attribute of type "bin"`},
		{10, "id", "ok", "is in line 2 already"},
		{11, "name", "", `device "there" is registered with another name`},
		{12, "", "", "the row does not have the 12 cells of the header"},
		{13, "", "", `the row cannot be read at byte 15: bare " in non-quoted-field`},
		{14, "name", "?", "is not UTF-8 text; save the file as CSV UTF-8"},
		{15, "name", strings.Repeat("长", 21) + "?", "is longer than 1024 bytes"},
		{16, "attributes", "depth_cm", "is not a finite number"},
	}
	for _, dry := range []bool{true, false} {
		report, err := s.ImportDevices(t.Context(), strings.NewReader(file), dry)
		if !errors.Is(err, devices.ErrBadRows) {
			t.Fatalf("got %v, want ErrBadRows", err)
		}
		if diff := cmp.Diff(want, report.Bad); diff != "" {
			t.Errorf("bad cells (-want +got):\n%s", diff)
		}
		if report.BadCells != len(want) || report.Added != 0 || len(s.Devices()) != 1 {
			t.Errorf("%d bad cells, %d added", report.BadCells, report.Added)
		}
	}
}

func TestImportRefusesBadFiles(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct{ name, file, want string }{
		{"empty", "", "read import: the file is empty"},
		{"columns", "id,community,kind,id\n", "[{1 kind  is no column of an import} {1 id  is there twice} {1 type  is missing}]"},
		{"UTF-16", "\xff\xfei\x00d\x00\n", "is no column of an import"},
		{"rows", "id,community,type\n" + strings.Repeat("a,b,c\n", 200_001), "read import: the file has more than 200000 rows"},
		{"bytes", "id,community,type\n\"" + strings.Repeat("x", 64<<20), "read import: the file is larger than 67108864 bytes"},
		{"a quote that never ends", "id,community,type\n\"a,b,c\n", `{2   the row cannot be read`},
	} {
		report, err := s.ImportDevices(t.Context(), strings.NewReader(test.file), false)
		if err == nil || !strings.Contains(err.Error()+fmt.Sprint(report.Bad), test.want) {
			t.Errorf("%s: got %v %.300v, want %s", test.name, err, report.Bad, test.want)
		}
	}
	var many strings.Builder
	many.WriteString("id,community,type\n")
	for i := range 1500 {
		fmt.Fprintf(&many, "d%d,west,bin\n", i)
	}
	report, err := s.ImportDevices(t.Context(), strings.NewReader(many.String()), true)
	if !errors.Is(err, devices.ErrBadRows) || report.BadCells != 1500 || len(report.Bad) != 1000 || report.Bad[999].Line != 1001 {
		t.Errorf("%d bad cells, %d listed, %v", report.BadCells, len(report.Bad), err)
	}
}

func TestInterruptedImportIsFinishedByTheNext(t *testing.T) {
	s := newSite(t)
	file := fleet(3000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for range 100 { // the first of them are older than the import
			<-s.changes
		}
		cancel()
	}()
	part, err := s.ImportDevices(ctx, strings.NewReader(file), false)
	if err == nil {
		t.Skip("the import was faster than its cancellation")
	}
	if len(part.Issued) != part.Added {
		t.Errorf("%d secrets for %d added", len(part.Issued), part.Added)
	}
	rest, err := s.ImportDevices(t.Context(), strings.NewReader(file), false)
	if err != nil || rest.Added+rest.Unchanged != 3000 || rest.Unchanged < part.Added || len(s.Devices()) != 3000 {
		t.Errorf("first %d added, then %d added and %d unchanged, %v", part.Added, rest.Added, rest.Unchanged, err)
	}
	for _, issued := range append(part.Issued, rest.Issued...) {
		if !s.Verify(s.Device(issued.ID), issued.Secret.Reveal()) {
			t.Fatalf("the secret given out for %s is refused", issued.ID)
		}
	}
}

// BenchmarkImport registers 10,000 devices, which must take less than 10 s.
func BenchmarkImport(b *testing.B) {
	file := fleet(10_000)
	for b.Loop() {
		b.StopTimer()
		s := newSite(b)
		b.StartTimer()
		if report, err := s.ImportDevices(b.Context(), strings.NewReader(file), false); err != nil || report.Added != 10_000 {
			b.Fatalf("%d added, %v", report.Added, err)
		}
	}
	if each := b.Elapsed() / time.Duration(b.N); each > 10*time.Second {
		b.Errorf("10,000 rows took %v", each)
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// fleet is an import of n devices, a gateway for each hundred.
func fleet(n int) string {
	var b strings.Builder
	b.WriteString("id,community,type,name,estate,building,unit,gateway,tags,attributes\n")
	for i := range n {
		if i%100 == 0 {
			fmt.Fprintf(&b, "gw-%d,north,bin,,,,,,,\n", i)
		} else {
			fmt.Fprintf(&b, "d%d,north,bin,垃圾桶,e1,b1,u1,gw-%d,care=lives_alone,depth_cm=80\n", i, i/100*100)
		}
	}
	return b.String()
}

func TestReportHidesSecretsUntilRevealed(t *testing.T) {
	data, err := json.Marshal(devices.Report{Issued: []devices.Issued{{ID: "d1", Secret: "canary-canary-canary"}}})
	if err != nil || strings.Contains(string(data), "canary") {
		t.Errorf("%s, %v", data, err)
	}
}

// Whatever is in the cells, an import either names a mistake or adds exactly what it read, and never both.
func TestImportIsAllOrNothing(t *testing.T) {
	s := newSite(t)
	s.add(t, bin("gw"))
	good, run := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		before := len(s.Devices())
		cells := [][]string{{"门", "=1"}, {"e1", "e9"}, {"b1", "b9"}, {"u1"}, {"roof", "Roof"}, {"gw", "none"}, {"p1", "p2"}, {"care=dementia", "care"}, {"depth_cm=5", "x y"}}
		var b strings.Builder
		b.WriteString("id,community,type,name,estate,building,unit,zone,gateway,person,tags,attributes\n")
		rows := rapid.IntRange(1, 4).Draw(t, "rows")
		for i := range rows {
			fmt.Fprintf(&b, "r%d-%d,%s,bin", run, i, rapid.SampledFrom([]string{"north", "north", "north", "north", "south", "west"}).Draw(t, "community"))
			for _, some := range cells {
				b.WriteByte(',')
				if rapid.IntRange(0, 3).Draw(t, "filled") == 0 {
					b.WriteString(rapid.SampledFrom(some).Draw(t, "cell"))
				}
			}
			b.WriteString("\n")
		}
		report, err := s.ImportDevices(context.Background(), strings.NewReader(b.String()), false)
		added := len(s.Devices()) - before
		switch {
		case err == nil && (report.BadCells > 0 || added != rows || report.Added != rows):
			t.Fatalf("%s\n%+v: added %d", b.String(), report, added)
		case err != nil && (!errors.Is(err, devices.ErrBadRows) || report.BadCells == 0 || added != 0):
			t.Fatalf("%s\n%v %+v: added %d", b.String(), err, report, added)
		case err == nil:
			good++
		}
	})
	if good == 0 || good == run {
		t.Errorf("%d of %d imports were good: the cells test nothing", good, run)
	}
}
