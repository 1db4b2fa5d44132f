package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"linli/app/embedded"
)

// TakeBackup copies the data directory of a server that is stopped; with --ahead, of one that runs, to make the stop short.
func TakeBackup(ctx context.Context, args []string, out, errOut io.Writer) error {
	var ahead bool
	b, err := parseBackup("backup", args, errOut, func(fs *flag.FlagSet) {
		fs.BoolVar(&ahead, "ahead", false, "copy while the server runs, so that the backup itself, when it is stopped, takes only what changed since")
	})
	if err != nil {
		return err
	}
	began := time.Now()
	c, err := b.Take(ctx, ahead)
	if err != nil {
		return err
	}
	what := "backed up"
	if ahead {
		what = "NOT a backup yet: stop the server and run the same without --ahead. Copied ahead"
	}
	fmt.Fprintf(out, "%s: %s in %s: %d files, %d of them (%d bytes) now, in %v\n", what, b.Data, b.Dir, c.Files, c.Taken, c.Bytes, time.Since(began).Round(time.Millisecond))
	return nil
}

// Restore makes a data directory out of a backup.
func Restore(ctx context.Context, args []string, out, errOut io.Writer) error {
	b, err := parseBackup("restore", args, errOut, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	at, err := b.Restore(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is as it was at %s\n", b.Data, at.Local().Format(time.RFC3339))
	return nil
}

func parseBackup(name string, args []string, errOut io.Writer, more func(*flag.FlagSet)) (*embedded.Backup, error) {
	b := &embedded.Backup{}
	fs := flag.NewFlagSet("linli "+name, flag.ContinueOnError)
	fs.SetOutput(errOut)
	fs.StringVar(&b.Data, "data", "data", "data `directory` of the server")
	fs.StringVar(&b.Dir, "dir", "", "`directory` of the backup")
	more(fs)
	err := parseWithEnv(fs, args, os.LookupEnv)
	if err == nil && b.Dir == "" {
		err = errors.New("--dir is missing")
	}
	return b, err
}
