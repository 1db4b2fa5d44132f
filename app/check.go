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
	cat, set, err := load(fs.Arg(0))
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

// TestRules replays the examples of the rules that are named, or of all, and prints a line for each rule that shows what its examples
// say. The error joins what differs, with file and line.
func TestRules(args []string, out, errOut io.Writer) error {
	fs := flag.NewFlagSet("linli rules test", flag.ContinueOnError)
	fs.SetOutput(errOut)
	dir := fs.String("rules", "", "`directory` as linli check takes it, beside what is built in")
	fs.Usage = func() {
		fmt.Fprintln(errOut, "usage: linli rules test [--rules DIR] [RULE…]")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	_, set, err := load(*dir)
	if err != nil {
		return err
	}
	tested := set.All()
	if fs.NArg() > 0 {
		tested = nil
	}
	for _, id := range fs.Args() {
		r := set.Rule(id)
		if r == nil {
			return fmt.Errorf("there is no rule %q", id)
		}
		tested = append(tested, r)
	}
	var errs []error
	for _, r := range tested {
		if err := r.Replay(); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "ok  %-28s %-10s %d examples\n", r.ID, r.Kind, len(r.Examples))
	}
	return errors.Join(errs...)
}

// load reads what is built in and what a directory adds; without one, nothing.
func load(dir string) (*devices.Catalogue, *alerts.Rules, error) {
	types, rules, err := split(dir)
	if err != nil {
		return nil, nil, err
	}
	cat, err := devices.LoadCatalogue(types...)
	if err != nil {
		return nil, nil, err
	}
	set, err := alerts.LoadRules(cat, rules...)
	return cat, set, err
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
