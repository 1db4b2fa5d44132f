package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // communities name their time zone, and a small machine may know none

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"linli/app/embedded"
	"linli/bus"
)

// Serve runs a server with the settings of args and the environment until ctx ends, and closes it. It prints to out where the
// server is reached once every role is ready, and logs to errOut.
func Serve(ctx context.Context, version string, args []string, out, errOut io.Writer) error {
	set, err := parseSettings(args, os.LookupEnv)
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(set.LogLevel)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level}))
	again := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		a := &App{set: set, version: version, out: out, auth: &auth{}, log: log, reg: prometheus.NewRegistry(), status: map[string]func() error{}}
		err, unclosed := a.serve(ctx)
		again = again || errors.Is(err, bus.ErrMadeAnew) || errors.Is(err, embedded.ErrStuck)
		if !again || ctx.Err() != nil || errors.Is(unclosed, errTooSlow) {
			return errors.Join(err, unclosed)
		}
		if a.opened {
			pause = firstPause
		}
		log.Error("opening everything again", "in", pause, "err", errors.Join(err, unclosed))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// firstPause and lastPause are between the end of a server whose streams failed it and its next try, which a full disk may fail too.
const (
	firstPause = time.Second
	lastPause  = 8 * time.Second
)

// serve opens the server, runs it until ctx ends or a worker fails, and closes it; unclosed is what closing it failed with.
func (a *App) serve(ctx context.Context) (err, unclosed error) {
	a.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	began := time.Now()
	err = a.open(ctx)
	if a.opened = err == nil; a.opened {
		a.workers = append(a.workers, worker{"memory", tendMemory}, worker{"health", a.watchHealth}, worker{"announce", func(ctx context.Context) error { return a.announce(ctx, began) }})
		err = a.run(ctx)
	}
	a.log.Info("stopping")
	return err, a.close()
}

// announce waits until every role is ready and prints how to reach the server.
func (a *App) announce(ctx context.Context, began time.Time) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for a.notReady() != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	a.log.Info("ready", "took", time.Since(began))
	a.printWelcome()
	<-ctx.Done()
	return nil
}

func (a *App) notReady() error {
	var errs []error
	for name, err := range a.Status() {
		if bus.Broken(err) {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (a *App) printWelcome() {
	p := func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
	p("linli %s", a.version)
	if a.set.has("web") {
		p("  pages and API   %s", a.httpURL())
		p("  token           in %s", a.tokenFile())
		if a.firstPassword != "" {
			p("  first login     admin, password %s (shown this once, to be changed at once)", a.firstPassword)
		}
	}
	if a.ownBroker() && a.set.has("ingest") {
		p("  MQTT            %s", a.nats.MQTTAddr())
	}
	if a.set.Demo && a.ownBroker() {
		p("\nTry it:\n  %s", a.trialCommand())
	}
}
