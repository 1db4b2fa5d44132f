package app

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/alerts/notify"
	"linli/bus"
)

// Settings are the settings of a server. Each is a flag of `linli serve`; defaults are overridden by the configuration file,
// that by LINLI_… variables, and those by flags.
type Settings struct {
	Data      string
	HTTP      string // address
	MQTT      string // address of the embedded broker's listener
	TLSCert   string
	TLSKey    string
	Insecure  bool // allow listening in the clear off loopback
	PublicURL string
	Roles     string // comma list, or "all"

	MQTTURL      string // an external broker
	MQTTUser     string
	MQTTPassword string
	MQTTShare    string // group of a shared subscription on an external broker
	NATSURL      string // an external NATS system
	NATSReplicas int    // of the streams that are made there; 0: three in a cluster, else one
	NATSCreds    string // file
	InfluxURL    string // an external InfluxDB
	InfluxOrg    string
	InfluxBucket string
	InfluxToken  string

	Root      string // first level of every topic
	Sync      string // interval or always
	Demo      bool
	Scale     float64
	Speed     float64
	Catalogue string // directory
	Rules     string // directory
	Config    string // file
	LogLevel  string
	ClockJump bool // start although the clock moved far
	Settle    time.Duration

	file File
}

// File is the strict YAML of --config. Settings holds further settings by their flag names.
type File struct {
	Settings map[string]string `yaml:"settings"`
	Channels []yaml.Node       `yaml:"channels"` // each is decoded by its channel, package notify
	Duty     []string          `yaml:"duty"`     // channels told of every alert that nothing else covers

	Operator  []bus.Address    `yaml:"operator"`  // told of trouble with linli itself
	Heartbeat notify.Heartbeat `yaml:"heartbeat"` // called every minute while linli is well
}

func (s *Settings) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.Data, "data", "data", "`directory` of everything that is kept")
	fs.StringVar(&s.HTTP, "http", "127.0.0.1:8080", "`address` of the pages and the API")
	fs.StringVar(&s.MQTT, "mqtt", "127.0.0.1:1883", "`address` of the embedded MQTT broker")
	fs.StringVar(&s.TLSCert, "tls-cert", "", "certificate `file` (PEM) for HTTP and MQTT")
	fs.StringVar(&s.TLSKey, "tls-key", "", "key `file` (PEM)")
	fs.BoolVar(&s.Insecure, "insecure", false, "allow listening in the clear off loopback")
	fs.StringVar(&s.PublicURL, "public-url", "", "`URL` under which people reach the pages")
	fs.StringVar(&s.Roles, "roles", "all", "comma `list` out of "+strings.Join(roleNames, ", ")+", or all")
	fs.StringVar(&s.MQTTURL, "mqtt-url", "", "external MQTT broker `URL` (tcp://, ssl://) instead of the embedded one")
	fs.StringVar(&s.MQTTUser, "mqtt-user", "", "`user` at the external broker")
	fs.StringVar(&s.MQTTPassword, "mqtt-password", "", "`password` at the external broker")
	fs.StringVar(&s.MQTTShare, "mqtt-share", "", "`group` of a shared subscription, so that several ingest replicas divide the work")
	fs.StringVar(&s.NATSURL, "nats-url", "", "external NATS `URL`, or several with commas between, instead of the embedded server")
	fs.IntVar(&s.NATSReplicas, "nats-replicas", 0, "`copies` of each stream that is made in the external NATS; 0: three in a cluster, else one")
	fs.StringVar(&s.NATSCreds, "nats-creds", "", "credentials `file` for the external NATS")
	fs.StringVar(&s.InfluxURL, "influx-url", "", "external InfluxDB `URL` instead of the embedded one")
	fs.StringVar(&s.InfluxOrg, "influx-org", "", "`organisation` (2.x)")
	fs.StringVar(&s.InfluxBucket, "influx-bucket", "linli/autogen", "`bucket`, on 1.8 database/retention-policy")
	fs.StringVar(&s.InfluxToken, "influx-token", "", "`token`, on 1.8 user:password")
	fs.StringVar(&s.Root, "root", "linli", "first `level` of every topic")
	fs.StringVar(&s.Sync, "sync", "interval", "`interval`: fsync every second, survives kill -9; always: survives a power cut")
	fs.BoolVar(&s.Demo, "demo", false, "add the ten demo communities and play their devices")
	fs.Float64Var(&s.Scale, "scale", 1, "`share` of the demo fleet, 0 to 1")
	fs.Float64Var(&s.Speed, "speed", 0, "play demo history this many `times` faster until now; 0: begin now")
	fs.StringVar(&s.Catalogue, "catalogue", "", "`directory` with device types that add to or replace the built-in ones")
	fs.StringVar(&s.Rules, "rules", "", "`directory` with further rules")
	fs.StringVar(&s.Config, "config", "", "configuration `file` (YAML)")
	fs.StringVar(&s.LogLevel, "log-level", "info", "debug, info, warn or error")
	fs.DurationVar(&s.Settle, "settle", bus.Settle, "`time` that devices get to connect again after a restart or an outage, before their silence counts")
	fs.BoolVar(&s.ClockJump, "accept-clock", false, "start although the clock stands far from where it was")
}

// parseSettings reads settings from args, the environment and the configuration file. The error names the setting.
func parseSettings(args []string, env func(string) (string, bool)) (*Settings, error) {
	s := &Settings{}
	fs := flag.NewFlagSet("linli serve", flag.ContinueOnError)
	fs.SetOutput(os.Stderr)
	s.flags(fs)
	if err := parseWithEnv(fs, args, env); err != nil {
		return nil, err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if s.Config != "" {
		if err := s.readFile(fs, given); err != nil {
			return nil, err
		}
	}
	return s, s.validate()
}

func (s *Settings) readFile(fs *flag.FlagSet, given map[string]bool) error {
	f, err := os.Open(s.Config)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&s.file); err != nil {
		return fmt.Errorf("%s: %w", s.Config, err)
	}
	for name, v := range s.file.Settings {
		switch {
		case fs.Lookup(name) == nil || name == "config":
			return fmt.Errorf("%s: settings: unknown setting %q", s.Config, name)
		case !given[name]:
			if err := fs.Set(name, v); err != nil {
				return fmt.Errorf("%s: settings: %s: %w", s.Config, name, err)
			}
		}
	}
	return nil
}

func (s *Settings) validate() error {
	var errs []error
	bad := func(flag, format string, a ...any) {
		errs = append(errs, fmt.Errorf("--"+flag+": "+format, a...))
	}
	if s.Sync != "interval" && s.Sync != "always" {
		bad("sync", "%q is neither interval nor always", s.Sync)
	}
	if s.Scale <= 0 || s.Scale > 1 {
		bad("scale", "%v is not within (0, 1]", s.Scale)
	}
	if s.Settle <= 0 {
		bad("settle", "%s is not positive", s.Settle)
	}
	if s.Speed < 0 {
		bad("speed", "%v is negative", s.Speed)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		bad("tls-cert", "certificate and key go together")
	}
	for _, r := range strings.Split(s.Roles, ",") {
		if r != "all" && !slices.Contains(roleNames, r) {
			bad("roles", "unknown role %q", r)
		}
	}
	for flag, all := range map[string][]string{
		"mqtt-url": {s.MQTTURL}, "nats-url": strings.Split(s.NATSURL, ","), "influx-url": {s.InfluxURL}, "public-url": {s.PublicURL},
	} {
		for _, v := range all {
			if u, err := url.Parse(v); v != "" && (err != nil || u.Host == "") {
				bad(flag, "%q is not a URL with a host", v)
			}
		}
	}
	if s.NATSURL != "" && s.MQTTURL == "" && (s.has("ingest") || s.has("simulate")) {
		bad("nats-url", "the embedded broker is part of the embedded NATS: give --mqtt-url as well")
	}
	if s.NATSReplicas < 0 || s.NATSReplicas > 5 || s.NATSReplicas != 0 && s.NATSURL == "" {
		bad("nats-replicas", "want 1 to 5, with --nats-url")
	}
	errs = append(errs, s.validateListeners())
	return errors.Join(errs...)
}

// validateListeners refuses to listen in the clear where others can listen in, unless that is asked for.
func (s *Settings) validateListeners() error {
	var errs []error
	listeners := map[string]string{}
	if s.has("web") {
		listeners["http"] = s.HTTP
	}
	if s.NATSURL == "" && s.MQTTURL == "" {
		listeners["mqtt"] = s.MQTT
	}
	for flag, addr := range listeners {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
			continue
		}
		ip := net.ParseIP(host)
		if host == "localhost" || ip != nil && ip.IsLoopback() || s.TLSCert != "" || s.Insecure {
			continue
		}
		errs = append(errs, fmt.Errorf("--%s %s listens in the clear off loopback: give --tls-cert and --tls-key, or --insecure", flag, addr))
	}
	return errors.Join(errs...)
}

// has reports whether this process plays a role.
func (s *Settings) has(role string) bool {
	for _, r := range strings.Split(s.Roles, ",") {
		if r == role || r == "all" && (role != "simulate" || s.Demo) {
			return true
		}
	}
	return false
}
