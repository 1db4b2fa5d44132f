package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"linli/devices"
	"linli/devices/simulate"
	"linli/seeds"
)

// Simulate plays demo communities against a server that was started with --demo, from another process. It reads the key of the
// demo's secrets from the server's data directory and ends with ctx.
func Simulate(ctx context.Context, args []string, out, errOut io.Writer) error {
	var data, communities, faults, catalogue string
	cfg := simulate.Config{Log: slog.New(slog.NewTextHandler(errOut, nil))}
	fs := flag.NewFlagSet("linli simulate", flag.ContinueOnError)
	fs.SetOutput(errOut)
	fs.StringVar(&data, "data", "data", "data `directory` of the server, for the secrets of the demo devices")
	fs.StringVar(&cfg.MQTTURL, "mqtt-url", "tcp://127.0.0.1:1883", "broker `URL`, tcp:// or ssl://")
	fs.StringVar(&cfg.Root, "root", "linli", "first `level` of every topic")
	fs.StringVar(&communities, "communities", strings.Join(seeds.IDs, ","), "comma `list` of communities to play")
	fs.StringVar(&catalogue, "catalogue", "", "`directory` with device types that add to or replace the built-in ones")
	fs.Float64Var(&cfg.Scale, "scale", 1, "`share` of the fleet, 0 to 1; at most that of the server")
	fs.Uint64Var(&cfg.Seed, "seed", demoSeed, "`seed` of everything that happens")
	fs.StringVar(&faults, "faults", "none", "`set` of faults: none, realistic")
	duplicate := fs.Float64("duplicate", 0, "`part` of the messages that is sent twice")
	loss := fs.Float64("loss", 0, "`part` of the messages that is never sent")
	reorder := fs.Float64("reorder", 0, "`part` of the messages that is sent after the next one")
	outages := fs.Float64("outages", 0, "outages of a link a day, with the backlog sent afterwards")
	skew := fs.Duration("skew", 0, "standard `deviation` of the devices' clocks")
	if err := parseWithEnv(fs, args, os.LookupEnv); err != nil {
		return err
	}
	preset, ok := simulate.FaultPresets[faults]
	if !ok {
		return fmt.Errorf("--faults: no set %q", faults)
	}
	cfg.Faults = preset
	fs.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "duplicate":
			cfg.Faults.Duplicate = *duplicate
		case "loss":
			cfg.Faults.Loss = *loss
		case "reorder":
			cfg.Faults.Reorder = *reorder
		case "outages":
			cfg.Faults.Outages = *outages
		case "skew":
			cfg.Faults.Skew = *skew
		}
	})
	var err error
	if cfg.Catalogue, err = devices.LoadCatalogue(dirs(catalogue)...); err != nil {
		return err
	}
	if cfg.Communities, err = chosen(communities); err != nil {
		return err
	}
	key, err := demoKey(data)
	if err != nil {
		return err
	}
	cfg.Credentials = func(device string) string { return demoSecret(key, device) }
	sim, err := simulate.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "playing %s against %s\n", communities, cfg.MQTTURL)
	return errors.Join(sim.Run(ctx), sim.Close())
}

func chosen(list string) ([]*seeds.Community, error) {
	all, err := seeds.Load()
	if err != nil {
		return nil, err
	}
	var some []*seeds.Community
	for _, id := range strings.Split(list, ",") {
		i := slices.IndexFunc(all, func(c *seeds.Community) bool { return c.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("--communities: no demo community %q", id)
		}
		some = append(some, all[i])
	}
	return some, nil
}
