package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"linli/alerts"
	"linli/devices"
)

// Check validates device types and rules and replays the examples of every rule, without starting anything. Its arguments are at
// most one directory of catalogue files, rule files, or both; without one it checks what is built in.
func Check(args []string, out, errOut io.Writer) error {
	fs := flag.NewFlagSet("linli check", flag.ContinueOnError)
	fs.SetOutput(errOut)
	fs.Usage = func() { fmt.Fprintln(errOut, "usage: linli check [DIR]") }
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 1 {
		return errors.New("want one directory at most")
	}
	types, rules, err := split(fs.Arg(0))
	if err != nil {
		return err
	}
	cat, err := devices.LoadCatalogue(types...)
	if err != nil {
		return err
	}
	set, err := alerts.LoadRules(cat, rules...)
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range set.All() {
		errs = append(errs, r.Replay())
	}
	fmt.Fprintf(out, "%d device types, %d rules\n", len(cat.Types()), len(set.All()))
	return errors.Join(errs...)
}

// split tells what a directory holds: DIR/catalogue and DIR/rules where they exist, else DIR is a catalogue.
func split(dir string) (types, rules []string, err error) {
	if dir == "" {
		return nil, nil, nil
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, err
	}
	for sub, to := range map[string]*[]string{"catalogue": &types, "rules": &rules} {
		if info, err := os.Stat(dir + "/" + sub); err == nil && info.IsDir() {
			*to = []string{dir + "/" + sub}
		}
	}
	if types == nil && rules == nil {
		types = []string{dir}
	}
	return types, rules, nil
}
