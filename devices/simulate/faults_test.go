package simulate

import (
	"flag"
	"strings"
	"testing"
	"time"
)

func TestFaultsAreReadFromOneFlag(t *testing.T) {
	with := FaultPresets["realistic"]
	with.Loss, with.Skew = 0.05, 5*time.Second
	for _, row := range []struct {
		in   string
		want Faults
	}{{"", Faults{}}, {"none", Faults{}}, {"realistic", FaultPresets["realistic"]}, {"realistic, loss=0.05,skew=5s", with}, {"duplicate=1", Faults{Duplicate: 1}}} {
		if got, err := ParseFaults(row.in); err != nil || got != row.want {
			t.Errorf("%q: got %+v, %v", row.in, got, err)
		}
	}
	for in, want := range map[string]string{
		"harsh":      `faults "harsh": want none, realistic, skew=DURATION, or NUMBER after one of dirty=`,
		"loss=much":  `faults "loss=much": strconv.ParseFloat`,
		"loss=1.1":   "faults: loss=1.1 is not between 0 and 1",
		"skew=-1s":   "faults: skew=-1s is not between 0 and 24h",
		"outages=-1": "faults: outages=-1 is not between 0 and 24",
		"loss=NaN":   "faults: loss=NaN is not between 0 and 1",
	} {
		if _, err := ParseFaults(in); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestFlagsSetUpASimulation(t *testing.T) {
	var f Flags
	fs := flag.NewFlagSet("simulate", flag.ContinueOnError)
	f.Register(fs)
	if err := fs.Parse([]string{"-communities", "hegang,zhuhai", "-scale", "0.1", "-seed", "7", "-speed", "60", "-faults", "loss=0.5"}); err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := f.Apply(&c); err != nil {
		t.Fatal(err)
	}
	if len(c.Communities) != 2 || c.Communities[1].ID != "zhuhai" || c.Scale != 0.1 || c.Seed != 7 || c.Speed != 60 || c.Faults.Loss != 0.5 {
		t.Errorf("got %+v", c)
	}
	f.Communities = "atlantis"
	if err := f.Apply(&c); err == nil || !strings.HasPrefix(err.Error(), `unknown community "atlantis", want some of tianjin, `) {
		t.Errorf("got %v", err)
	}
}

func TestWrongZoneIsEightHours(t *testing.T) {
	f := Faults{Skew: 2 * time.Second, WrongZone: 0.5}
	far, near := 0, 0
	for i := range int64(1000) {
		switch s := f.skew(key(9).at(i)); {
		case s == 8*60*60*1000:
			far++
		case s > -6001 && s < 6001:
			near++
		}
	}
	if far+near != 1000 || far < 400 || far > 600 {
		t.Errorf("%d devices 8 h ahead, %d near, of 1000", far, near)
	}
}
