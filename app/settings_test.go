package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func env(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) {
		v, ok := m[k]
		return v, ok
	}
}

func TestFlagBeatsVariableBeatsFileBeatsDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "linli.yaml")
	text := "settings: {scale: 0.1, sync: always, root: fromfile}\nduty: [ops]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := env(map[string]string{"LINLI_SYNC": "interval", "LINLI_ROOT": "fromenv"})
	s, err := parseSettings([]string{"--config", file, "--root", "fromflag"}, vars)
	if err != nil {
		t.Fatal(err)
	}
	if s.Scale != 0.1 || s.Sync != "interval" || s.Root != "fromflag" || s.HTTP != "127.0.0.1:8080" || len(s.file.Duty) != 1 {
		t.Errorf("got scale %v, sync %v, root %v, http %v, duty %v", s.Scale, s.Sync, s.Root, s.HTTP, s.file.Duty)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		name := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_")+text[:4]+".yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, c := range map[string]struct {
		args []string
		vars map[string]string
		want string
	}{
		"unknown sync":           {args: []string{"--sync", "never"}, want: "--sync"},
		"scale zero":             {args: []string{"--scale", "0"}, want: "--scale"},
		"unknown role":           {args: []string{"--roles", "store,cook"}, want: `"cook"`},
		"half a certificate":     {args: []string{"--tls-cert", "x"}, want: "--tls-cert"},
		"clear off loopback":     {args: []string{"--http", "0.0.0.0:8080"}, want: "--http 0.0.0.0:8080 listens in the clear"},
		"clear on every address": {args: []string{"--mqtt", ":1883"}, want: "--mqtt :1883 listens in the clear"},
		"address without port":   {args: []string{"--http", "localhost"}, want: "--http"},
		"NATS without a broker":  {args: []string{"--nats-url", "nats://a"}, want: "--mqtt-url"},
		"copies of one's own":    {args: []string{"--nats-replicas", "3"}, want: "--nats-replicas"},
		"clear without ingest":   {args: []string{"--mqtt", ":1883", "--roles", "store"}, want: "--mqtt :1883 listens in the clear"},
		"not a URL":              {args: []string{"--influx-url", "influx"}, want: "--influx-url"},
		"bad variable":           {vars: map[string]string{"LINLI_DEMO": "perhaps"}, want: "LINLI_DEMO"},
		"argument":               {args: []string{"now"}, want: `"now"`},
		"missing file":           {args: []string{"--config", dir + "/none"}, want: "--config"},
		"unknown key in file":    {args: []string{"--config", file("chanels: []\n")}, want: "chanels"},
		"unknown setting":        {args: []string{"--config", file("settings: {sinc: always}\n")}, want: `"sinc"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseSettings(c.args, env(c.vars))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("parseSettings(%q) = %v, want an error with %q", c.args, err, c.want)
			}
		})
	}
}

func TestListeningInTheClearIsAllowedWhereAsked(t *testing.T) {
	for _, args := range [][]string{
		{"--http", "0.0.0.0:80", "--insecure"},
		{"--http", "0.0.0.0:443", "--mqtt", "0.0.0.0:8883", "--tls-cert", "c", "--tls-key", "k"},
		{"--http", "localhost:80", "--mqtt", "[::1]:1883"},
		{"--mqtt", "0.0.0.0:1883", "--mqtt-url", "tcp://broker:1883"}, // no listener of ours
		{"--http", "0.0.0.0:80", "--roles", "store"},
	} {
		if _, err := parseSettings(args, env(nil)); err != nil {
			t.Errorf("parseSettings(%q) = %v", args, err)
		}
	}
}

func TestOutsideServersAreTaken(t *testing.T) {
	args := []string{"--nats-url", "nats://a:4222,nats://b:4222", "--mqtt-url", "ssl://broker:8883", "--influx-url", "http://influx:8086"}
	if _, err := parseSettings(args, env(nil)); err != nil {
		t.Errorf("parseSettings(%q) = %v", args, err)
	}
}

func TestSecretsAreKept(t *testing.T) {
	dir := t.TempDir()
	first, err := keep(dir, "x.key")
	if err != nil {
		t.Fatal(err)
	}
	second, err := keep(dir, "x.key")
	if err != nil || first != second || len(first) != 64 {
		t.Errorf("keep gave %q and %q, %v", first, second, err)
	}
	info, err := os.Stat(filepath.Join(dir, "x.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "y.key"), []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keep(dir, "y.key"); err == nil {
		t.Error("a damaged key file was accepted")
	}
}
