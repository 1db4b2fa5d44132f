// Command linli is the IoT backend of a residential community in one binary: the server, the simulator, and the commands that talk to
// a running server.
//
// It maps flags, signals and errors to app and app/command. It holds no logic.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"linli/app"
	"linli/app/command"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends what runs, in order; a second one kills.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], command.Environment{Lookup: os.LookupEnv, In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	os.Exit(exitCode(err, os.Stderr))
}

func run(ctx context.Context, args []string, env command.Environment) error {
	name := "help"
	if len(args) > 0 {
		name = args[0]
	}
	if name == "rules" && len(args) > 1 && args[1] == "test" { // needs no server
		return app.TestRules(args[2:], env.Out, env.ErrOut)
	}
	switch name {
	case "serve":
		return app.Serve(ctx, version, args[1:], env.Out, env.ErrOut)
	case "simulate":
		return app.Simulate(ctx, args[1:], env.Out, env.ErrOut)
	case "backup":
		return app.TakeBackup(ctx, args[1:], env.Out, env.ErrOut)
	case "restore":
		return app.Restore(ctx, args[1:], env.Out, env.ErrOut)
	case "check":
		return app.Check(args[1:], env.Out, env.ErrOut)
	case "version":
		fmt.Fprintln(env.Out, "linli", version)
		return nil
	case "help", "-h", "-help", "--help":
		help(env.Out)
		return nil
	default:
		return command.Run(ctx, args, env)
	}
}

func exitCode(err error, errOut io.Writer) int {
	var misused *command.UsageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &misused):
		fmt.Fprintln(errOut, "linli:", err)
		return exitUsage
	default:
		fmt.Fprintln(errOut, "linli:", err)
		return exitFailed
	}
}

func help(w io.Writer) {
	fmt.Fprint(w, `usage: linli COMMAND [flags]

  serve        run the server; --demo adds the ten demo communities and plays their devices
  simulate     play demo devices or a scenario against a running server
  check [DIR]  validate device types and rules and replay the rules' examples
  rules test   replay the examples of the rules that are named, or of all, and list them
  backup       copy the data directory of a stopped server to --dir; --ahead does most of it while the server runs
  restore      make an empty data directory what it was at the backup in --dir
  version      print the version

Commands that talk to a running server (--server, --data or LINLI_TOKEN for its token, --json):

`)
	command.Help(w)
	fmt.Fprint(w, "\nlinli COMMAND -h explains the flags of a command. Every flag has a variable: --http is LINLI_HTTP.\n")
}
