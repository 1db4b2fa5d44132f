// Package command is the commands of linli that ask a running server over its HTTP API and print the answer.
//
// It knows the API and terminals. It must not know streams, stores or anything else behind the API.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Environment is what a command runs in.
type Environment struct {
	Lookup      func(string) (string, bool) // environment variables
	In          io.Reader
	Out, ErrOut io.Writer
}

// UsageError is a command line that cannot be understood.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

func usage(format string, a ...any) error { return &UsageError{fmt.Sprintf(format, a...)} }

// command is one line of the help. setup declares its flags and returns what to do with the positional arguments.
type command struct {
	name, arguments, about string
	setup                  func(*flag.FlagSet) action
}

type action func(context.Context, *session, []string) error

var commands = []command{
	{"communities add", "--id ID --name NAME", "register a community", addCommunity},
	{"communities import", "FILE.yaml", "register communities with their estates, buildings and plans, or replace what is registered of them", importCommunities},
	{"communities export", "", "print communities as import reads them", exportCommunities},
	{"communities list", "", "list communities", listCommunities},
	{"devices add", "--community ID --type TYPE --id ID", "register a device and print its secret, this once", addDevice},
	{"devices import", "FILE.csv", "register the rows of a CSV file, all or none", importDevices},
	{"devices list", "", "list devices", listDevices},
	{"devices rotate", "ID", "give a device a new secret", rotateDevice},
	{"devices revoke", "ID", "shut a device out for good", revokeDevice},
	{"devices replace", "OLD NEW", "put a device in the place of another; it continues its history", replaceDevice},
	{"devices command", "DEVICE COMMAND [NAME=VALUE…]", "ask a device to do something and wait for its answer", orderDevice},
	{"devices commands", "DEVICE", "list what a device was asked to do, newest first", listOrders},
	{"people import", "FILE.yaml", "register people and rotas or replace what is registered of them, all or none", importPeople},
	{"people export", "", "print people as import reads them", exportPeople},
	{"people check", "", "list who could not be told when it matters", checkPeople},
	{"people away", "ID", "say that somebody is away, until when, or back", setAway},
	{"rota import", "FILE.yaml", "the same as people import", importPeople},
	{"rota export", "", "print rotas as import reads them", exportRotas},
	{"rota list", "", "list rotas and who is on duty now", listRotas},
	{"rota calendar", "ID", "list the shifts of a rota, with whatever changes them", rotaCalendar},
	{"rota override", "ID --to TIME", "let somebody stand in, or be relieved, for a while", overrideRota},
	{"rota swap", "ID --people A,B --to TIME", "let two people swap their shifts for a while", swapRota},
	{"rota note", "ID", "leave a note to the next shift, or read those that were left", noteRota},
	{"alerts list", "", "list alerts that are not closed, newest first", listAlerts},
	{"alerts acknowledge", "ID", "take an alert on", acknowledgeAlert},
	{"alerts close", "ID", "end an alert", closeAlert},
	{"alerts why", "ID", "list who was told of an alert, who was not, and why", whyAlert},
	{"silences add", "--community ID --reason TEXT", "let nobody be told of some alerts for a while", addSilence},
	{"silences list", "", "list silences that are in force or wait for a second person", listSilences},
	{"silences confirm", "ID", "be the second person that a silence of life-safety needs, by a token of your own", confirmSilence},
	{"silences end", "ID", "end a silence before its time", endSilence},
	{"users add", "--name NAME --role ROLE --communities IDS", "let somebody log in; prints a password to begin with, this once", addUser},
	{"users list", "", "list who may log in", listUsers},
	{"users disable", "NAME", "let somebody in no longer", disableUser},
	{"users reset-password", "NAME", "give somebody a new password; their sessions end", resetPassword},
	{"rejects list", "", "list what could not be stored, newest first", listRejects},
	{"rejects replay", "ID…", "try to store rejects again", replayRejects},
	{"readings import", "FILE", "store line protocol as it is, past all rules", importReadings},
	{"rules replay", "--from TIME --to TIME", "print what rules would have led to on stored history", replayRules},
	{"rules why", "DEVICE", "list the rules of a device: which are in force, with what parameters, from where, and why not", whyRules},
	{"rebuild", "", "write the time series again from the streams", rebuild},
}

// Run runs the command of args. The error is a *UsageError if there is none such, flag.ErrHelp if help was given.
func Run(ctx context.Context, args []string, env Environment) error {
	c, rest := find(args)
	if c == nil && asksForHelp(args) && helpOf(args[0], env.ErrOut) {
		return flag.ErrHelp
	}
	if c == nil {
		return usage("there is no command %q; linli help lists them", strings.Join(args[:min(2, len(args))], " "))
	}
	s := &session{env: env}
	fs := flag.NewFlagSet("linli "+c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	s.flags(fs)
	do := c.setup(fs)
	positional, err := Parse(fs, rest, env.Lookup)
	if errors.Is(err, flag.ErrHelp) {
		c.help(fs, env.ErrOut)
		return err
	}
	if err != nil {
		return usage("linli %s: %v", c.name, err)
	}
	if err := s.Open(env.Lookup); err != nil {
		return err
	}
	return do(ctx, s, positional)
}

// find returns the command that args begin with, and the arguments after its name.
func find(args []string) (*command, []string) {
	for i := range commands {
		name := strings.Fields(commands[i].name)
		if len(args) >= len(name) && slices.Equal(args[:len(name)], name) {
			return &commands[i], args[len(name):]
		}
	}
	return nil, nil
}

// Help lists the commands.
func Help(w io.Writer) { list(w, commands) }

// asksForHelp reports whether args may be a group alone, or with a flag that asks.
func asksForHelp(args []string) bool {
	return len(args) == 1 || len(args) == 2 && slices.Contains([]string{"-h", "-help", "--help"}, args[1])
}

// helpOf lists the commands of a group, such as devices; false if there is none of that name.
func helpOf(group string, w io.Writer) bool {
	of := slices.DeleteFunc(slices.Clone(commands), func(c command) bool { return !strings.HasPrefix(c.name, group+" ") })
	list(w, of)
	return len(of) > 0
}

func list(w io.Writer, commands []command) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range commands {
		fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.arguments), c.about)
	}
	t.Flush()
}

func (c *command) help(fs *flag.FlagSet, w io.Writer) {
	fmt.Fprintf(w, "usage: linli %s [flags]\n%s\n\n", strings.TrimSpace(c.name+" "+c.arguments), c.about)
	fs.SetOutput(w)
	fs.PrintDefaults()
	fmt.Fprintln(w, "\nEvery flag has a variable: LINLI_ and its name in upper case, - as _. The token is taken from LINLI_TOKEN,\nelse from admin.token in the directory of --data.")
}

// Parse reads flags, before, between and after the positional arguments it returns. A flag that is not given takes the value of its
// variable, LINLI_ and the name of the flag in upper case with _ for -; the error names the variable.
func Parse(fs *flag.FlagSet, args []string, lookup func(string) (string, bool)) (positional []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			break
		}
		positional = append(positional, fs.Arg(0))
		args = fs.Args()[1:]
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	fs.VisitAll(func(f *flag.Flag) {
		name := "LINLI_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := lookup(name); ok && !given[f.Name] && err == nil {
			if e := fs.Set(f.Name, v); e != nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	})
	return positional, err
}

// exactly wants so many positional arguments.
func exactly(positional []string, names ...string) error {
	switch {
	case len(positional) < len(names):
		return usage("%s is missing", names[len(positional)])
	case len(positional) > len(names):
		return usage("unexpected argument %q", positional[len(names)])
	}
	return nil
}

// required wants flags to be given.
func required(flags ...string) error {
	for i := 0; i < len(flags); i += 2 {
		if flags[i+1] == "" {
			return usage("--%s is missing", flags[i])
		}
	}
	return nil
}
