package app

import (
	"flag"
	"fmt"

	"linli/app/command"
)

// parseWithEnv parses flags and their variables; there are no other arguments.
func parseWithEnv(fs *flag.FlagSet, args []string, env func(string) (string, bool)) error {
	positional, err := command.Parse(fs, args, env)
	if err == nil && len(positional) > 0 {
		err = fmt.Errorf("unexpected argument %q", positional[0])
	}
	return err
}
