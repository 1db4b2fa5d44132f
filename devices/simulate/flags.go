package simulate

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"linli/seeds"
)

// Flags are the settings of a simulation as an operator gives them.
type Flags struct {
	Communities string // ids, separated by commas; empty: all
	Scale       float64
	Seed        uint64
	Speed       float64
	Faults      string
	Scenario    string // play this one instead of the fleets
}

// Register defines the flags.
func (f *Flags) Register(fs *flag.FlagSet) {
	fs.StringVar(&f.Communities, "communities", "", "play only these, `id,id,…`")
	fs.Float64Var(&f.Scale, "scale", 1, "`share` of the demo fleet, above 0 to 1")
	fs.Uint64Var(&f.Seed, "seed", 1, "`number` that decides everything random: the same seed and date are the same day")
	fs.Float64Var(&f.Speed, "speed", 0, "begin 6 days ago and run this many `times` faster until now; 0: begin now")
	fs.StringVar(&f.Faults, "faults", "none", "`how` badly devices and links behave: none, realistic, or figures such as realistic,loss=0.05,skew=5s")
	fs.StringVar(&f.Scenario, "scenario", "", "play this scenario once, by `name`, instead of the fleets")
}

// Apply sets what the flags say in c.
func (f *Flags) Apply(c *Config) error {
	faults, err := ParseFaults(f.Faults)
	if err != nil {
		return err
	}
	all, err := seeds.Load()
	if err != nil {
		return err
	}
	if f.Communities != "" {
		want := strings.Split(f.Communities, ",")
		for _, id := range want {
			if !slices.Contains(seeds.IDs, id) {
				return fmt.Errorf("unknown community %q, want some of %s", id, strings.Join(seeds.IDs, ", "))
			}
		}
		all = slices.DeleteFunc(all, func(s *seeds.Community) bool { return !slices.Contains(want, s.ID) })
	}
	c.Communities, c.Scale, c.Seed, c.Speed, c.Faults = all, f.Scale, f.Seed, f.Speed, faults
	return nil
}
