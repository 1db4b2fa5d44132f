package command

import (
	"encoding/json"
	"flag"
	"io"
	"net/url"
	"os"
	"text/tabwriter"
)

// session is one run of a command: the server it asks, and how to print.
type session struct {
	Client
	env  Environment
	json bool
}

func (s *session) flags(fs *flag.FlagSet) {
	s.Flags(fs)
	fs.BoolVar(&s.json, "json", false, "print JSON")
}

// print prints v as JSON if that was asked for, else what text writes.
func (s *session) print(v any, text func(io.Writer)) error {
	if s.json {
		e := json.NewEncoder(s.env.Out)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	t := tabwriter.NewWriter(s.env.Out, 0, 0, 2, ' ', 0)
	text(t)
	return t.Flush()
}

// file opens the file of an argument; - is the standard input.
func (s *session) file(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(s.env.In), nil
	}
	return os.Open(name)
}

// query makes the query part of a path out of names and values, without the empty ones.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
