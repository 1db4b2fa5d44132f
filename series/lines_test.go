package series

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLinesComeBackAsTheyWereWritten reads readings and events as line protocol again: all that was asked for, and nothing else.
func TestLinesComeBackAsTheyWereWritten(t *testing.T) {
	x := open(t)
	written := []string{
		`probe,community=c1,device=a,inlet=1 level=96.5,open=true,received_at=1772000000123i 1772000000000123456`,
		`probe,community=c1,device=a,inlet=1 door="op\"e\\n <>, ]",level=1e-7 1772000060000000000`,
		`probe,community=c1,device=b level=3 1772000000000000000`,
	}
	write(t, x, strings.Join(written, "\n")+"\nprobe,community=c2,device=c level=4 1772000000000000000\n")
	var got []string
	err := x.Lines(t.Context(), LinesQuery{
		Measurement: "probe", Fields: []string{"door", "level", "open", ReceivedField}, Tags: map[string]string{"community": "c1"},
		From: time.Unix(1772000000, 0), To: time.Unix(1772000061, 0),
	}, func(line []byte, _ int64) error {
		got = append(got, strings.TrimSuffix(string(line), "\n"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(written, got); diff != "" {
		t.Errorf("lines (-written +read):\n%s", diff)
	}
}
