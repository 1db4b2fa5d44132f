package devices

import (
	"fmt"
	"strings"
)

// Lane is the second level of a topic: what kind of message it carries.
type Lane string

const (
	Telemetry Lane = "telemetry" // readings, bulk
	Safety    Lane = "safety"    // readings of safety types, fast
	EventLane Lane = "event"
	StateLane Lane = "state"
	ReplyLane Lane = "reply"
	CommandTo Lane = "command" // to the device
)

// Topic is a parsed MQTT topic: {root}/{lane}/{community}/{type}/{device}[/{name}].
type Topic struct {
	Lane                    Lane
	Community, Type, Device string
	Name                    string // event or command id; empty on the other lanes
}

// String is the topic under root.
func (t Topic) String(root string) string {
	s := root + "/" + string(t.Lane) + "/" + t.Community + "/" + t.Type + "/" + t.Device
	if t.Name != "" {
		s += "/" + t.Name
	}
	return s
}

// ParseTopic reads a topic published under root. The error names the level that is wrong; the levels read until then are
// returned with it, so that a reject can still say whose it is. It does not allocate on success.
func ParseTopic(root, topic string) (Topic, error) {
	var t Topic
	rest, ok := strings.CutPrefix(topic, root)
	if !ok || !strings.HasPrefix(rest, "/") {
		return t, fmt.Errorf("topic does not begin with %q", root+"/")
	}
	lane, rest, _ := strings.Cut(rest[1:], "/")
	t.Lane = Lane(lane)
	names := [...]string{"community", "type", "device", lane}
	levels := names[:3]
	switch t.Lane {
	case Telemetry, Safety, StateLane, ReplyLane:
	case EventLane, CommandTo:
		levels = names[:]
	default:
		return t, fmt.Errorf("unknown lane %q", lane)
	}
	for i, name := range levels {
		if i > 0 && !ok {
			return t, fmt.Errorf("topic ends after the %s", names[i-1])
		}
		var level string
		level, rest, ok = strings.Cut(rest, "/")
		if !ValidID(level) {
			return t, fmt.Errorf("%s %q is not an identifier", name, level)
		}
		switch i {
		case 0:
			t.Community = level
		case 1:
			t.Type = level
		case 2:
			t.Device = level
		default:
			t.Name = level
		}
	}
	if ok {
		return t, fmt.Errorf("topic has further levels: %q", rest)
	}
	return t, nil
}

// ValidID reports whether s matches ^[a-z0-9][a-z0-9_-]{0,62}$: the form of every community, type, device, event, tag value
// and place id. Such an id is safe in topics, subjects, keys, tags and queries.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > 63 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '_' || c == '-') {
			continue
		}
		return false
	}
	return true
}
