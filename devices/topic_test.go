package devices

import (
	"regexp"
	"strings"
	"testing"
)

func TestParseTopic(t *testing.T) {
	for topic, want := range map[string]Topic{
		"linli/telemetry/tianjin/bin/b-1":      {Telemetry, "tianjin", "bin", "b-1", ""},
		"linli/safety/tianjin/sos_button/s1":   {Safety, "tianjin", "sos_button", "s1", ""},
		"linli/event/tianjin/bin/b-1/emptied":  {EventLane, "tianjin", "bin", "b-1", "emptied"},
		"linli/state/tianjin/bin/b-1":          {StateLane, "tianjin", "bin", "b-1", ""},
		"linli/reply/tianjin/bin/b-1":          {ReplyLane, "tianjin", "bin", "b-1", ""},
		"linli/command/tianjin/bin/b-1/reboot": {CommandTo, "tianjin", "bin", "b-1", "reboot"},
	} {
		got, err := ParseTopic("linli", topic)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", topic, got, err)
		}
		if got.String("linli") != topic {
			t.Errorf("%s is written as %s", topic, got.String("linli"))
		}
	}
	for topic, want := range map[string]string{
		"":                        `topic does not begin with "linli/"`,
		"linli":                   `topic does not begin with "linli/"`,
		"linlix/telemetry/t/b/1":  `topic does not begin with "linli/"`,
		"linli/":                  `unknown lane ""`,
		"linli/upload/t/b/1":      `unknown lane "upload"`,
		"linli/telemetry":         `community "" is not an identifier`,
		"linli/telemetry/T/b/1":   `community "T" is not an identifier`,
		"linli/telemetry/t":       `topic ends after the community`,
		"linli/telemetry/t/b":     `topic ends after the type`,
		"linli/telemetry/t/b/":    `device "" is not an identifier`,
		"linli/telemetry/t/b/+":   `device "+" is not an identifier`,
		"linli/telemetry/t/b/1/x": `topic has further levels: "x"`,
		"linli/telemetry/t/b/1/":  `topic has further levels: ""`,
		"linli/event/t/b/1":       `topic ends after the device`,
		"linli/event/t/b/1/":      `event "" is not an identifier`,
		"linli/event/t/b/1/sos/x": `topic has further levels: "x"`,
		"linli/event/t/b/1/" + strings.Repeat("x", 64): `event "` + strings.Repeat("x", 64) + `" is not an identifier`,
	} {
		if _, err := ParseTopic("linli", topic); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", topic, err, want)
		}
	}
}

func TestParseTopicDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if _, err := ParseTopic("linli", "linli/event/tianjin/bin/b-1/emptied"); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzTopic(f *testing.F) {
	for _, topic := range []string{"linli/telemetry/tianjin/bin/b-1", "linli/event/t/b/1/sos", "linli/event/t/b", "linli/telemetry/+/#", "linli//", "$SYS/x"} {
		f.Add(topic)
	}
	form := regexp.MustCompile(`^linli/(telemetry|safety|state|reply|(event|command)(/[a-z0-9][a-z0-9_-]{0,62}))(/[a-z0-9][a-z0-9_-]{0,62}){3}$`)
	f.Fuzz(func(t *testing.T, topic string) {
		got, err := ParseTopic("linli", topic)
		if good := form.MatchString(topic); good != (err == nil) {
			t.Fatalf("%q: %v, want an error: %v", topic, err, !good)
		}
		if err == nil && got.String("linli") != topic {
			t.Fatalf("%q is read as %+v", topic, got)
		}
	})
}
