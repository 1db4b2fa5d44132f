package command

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// transition is a line of a replay.
type transition struct {
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	Alert struct {
		Rule     string `json:"rule"`
		Severity string `json:"severity"`
		Device   string `json:"device"`
		Text     struct {
			ZH string `json:"zh"`
		} `json:"text"`
	} `json:"alert"`
	Until time.Time `json:"until"` // how far it has come
	Done  bool      `json:"done"`
	Error string    `json:"error"`
}

func replayRules(fs *flag.FlagSet) action {
	from := fs.String("from", "", "`time` to begin with, RFC 3339 or a date")
	to := fs.String("to", "", "`time` to end with; left out: now")
	warmUp := fs.String("warm-up", "1d", "`time` before from that is read too, so that windows are known")
	dir := fs.String("rules", "", "`directory` of rules in the place of those that the server has beside the catalogue")
	device := fs.String("device", "", "only of this device (`id`)")
	community := fs.String("community", "", "only of this community (`id`)")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		body := map[string]any{"warm_up": *warmUp, "device": *device, "community": *community}
		for name, text := range map[string]string{"from": *from, "to": *to} {
			at, err := moment(text)
			if err != nil {
				return usage("--%s: %v", name, err)
			}
			body[name] = at
		}
		if *dir != "" {
			files, err := ruleFiles(*dir)
			if err != nil {
				return err
			}
			body["rules"] = files
		}
		return s.Stream(ctx, "POST", "/api/v1/rules/replay", body, s.printTransitions)
	}
}

// moment reads a time: a date is its first minute here. An empty one is now.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is not a time such as 2026-03-01T08:00:00+08:00 or a date", text)
	}
	return at, nil
}

func ruleFiles(dir string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s holds no .yaml file", dir)
	}
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files[filepath.Base(name)] = string(text)
	}
	return files, nil
}

// printTransitions prints the lines of a replay as they come; with --json as they are.
func (s *session) printTransitions(body io.Reader) error {
	n, done := 0, false
	for in := bufio.NewReader(body); ; {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var t transition
			if err := json.Unmarshal(line, &t); err != nil {
				return fmt.Errorf("answer is not that of linli: %w", err)
			}
			switch {
			case t.Error != "":
				return fmt.Errorf("the replay ended early: %s", t.Error)
			case t.Done:
				done = true
			case !t.Until.IsZero():
			case s.json:
				n++
				if _, err := s.env.Out.Write(line); err != nil {
					return err
				}
			default:
				n++
				fmt.Fprintf(s.env.Out, "%s  %-8s  %-8s  %s  %s\n", t.At.Local().Format(time.DateTime), t.Kind, t.Alert.Severity, t.Alert.Rule, t.Alert.Text.ZH)
			}
		}
		switch {
		case err == io.EOF && done:
			if !s.json {
				fmt.Fprintf(s.env.ErrOut, "%d transitions\n", n)
			}
			return nil
		case err == io.EOF:
			return fmt.Errorf("the answer ended early: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
	}
}
