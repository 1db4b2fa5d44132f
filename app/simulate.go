package app

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"linli/app/command"
	"linli/devices"
	"linli/devices/simulate"
)

// Simulate plays devices against a running server, from another process, and ends with ctx: the communities of a server that was
// started with --demo and without the role simulate, with the key of their secrets from its data directory; or one scenario,
// whose devices it registers.
func Simulate(ctx context.Context, args []string, out, errOut io.Writer) error {
	var (
		client    command.Client
		flags     simulate.Flags
		catalogue string
		cfg       = simulate.Config{Log: slog.New(slog.NewTextHandler(errOut, nil))}
	)
	fs := flag.NewFlagSet("linli simulate", flag.ContinueOnError)
	fs.SetOutput(errOut)
	client.Flags(fs)
	flags.Register(fs)
	fs.StringVar(&cfg.MQTTURL, "mqtt-url", "tcp://127.0.0.1:1883", "broker `URL`, tcp:// or ssl://")
	fs.StringVar(&cfg.Root, "root", "linli", "first `level` of every topic")
	fs.StringVar(&catalogue, "catalogue", "", "`directory` with device types that add to or replace the built-in ones")
	if err := parseWithEnv(fs, args, os.LookupEnv); err != nil {
		return err
	}
	if flags.Scenario == "list" {
		return listScenarios(out)
	}
	if err := flags.Apply(&cfg); err != nil {
		return err
	}
	var err error
	if cfg.Catalogue, err = devices.LoadCatalogue(dirs(catalogue)...); err != nil {
		return err
	}
	if flags.Scenario != "" {
		return performScenario(ctx, flags.Scenario, &client, cfg, out)
	}
	key, err := demoKey(client.Data)
	if err != nil {
		return err
	}
	cfg.Credentials = func(device string) string { return demoSecret(key, device) }
	if flags.Speed > 1 {
		if err := client.Open(os.LookupEnv); err != nil {
			return fmt.Errorf("--speed: %w", err)
		}
		cfg.History = history{&client}
	}
	sim, err := simulate.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "playing %d communities against %s\n", len(cfg.Communities), cfg.MQTTURL)
	return errors.Join(sim.Run(ctx), sim.Close())
}

// history writes what lies before now through the API of the server.
type history struct{ *command.Client }

var _ simulate.History = history{}

func (h history) Write(ctx context.Context, lines []byte) error {
	var stored struct{ Lines int }
	return h.Send(ctx, "POST", "/api/v1/readings/import", "text/plain; charset=utf-8", bytes.NewReader(lines), &stored)
}
