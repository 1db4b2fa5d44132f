package alerts

import (
	"cmp"
	"slices"
	"strings"

	"linli/devices"
)

// places are the words of same and of besides the registry tags of a type: what devices may have in common.
var places = strings.Fields("device person gateway community estate building unit zone")

// common is what a device shares with others of its kind of place; false when it is in none. A registry tag is one within the
// community.
func common(d *devices.Device, same string) (string, bool) {
	b, ok := appendCommon(nil, d, same)
	return string(b), ok
}

func appendCommon(b []byte, d *devices.Device, same string) ([]byte, bool) {
	if d == nil {
		return b, false
	}
	p := &d.Place
	var part string
	switch same {
	case "community":
		return appendParts(b, same, d.Community), true
	case "building": // a community of one estate names none
		return appendParts(b, same, d.Community, p.Estate, p.Building), p.Building != ""
	case "unit":
		return appendParts(b, same, d.Community, p.Estate, p.Building, p.Unit), p.Unit != ""
	case "zone":
		return appendParts(b, same, d.Community, p.Estate, p.Building, p.Unit, p.Zone), p.Zone != ""
	case "device":
		part = d.ID
	case "person":
		part = d.Person
	case "gateway":
		part = cmp.Or(d.Gateway, d.ID)
	case "estate":
		part = p.Estate
	default:
		part = d.Tags[same]
	}
	return appendParts(b, same, d.Community, part), part != ""
}

// appendParts adds the parts of a key, a bar between them.
func appendParts(b []byte, parts ...string) []byte {
	for i, part := range parts {
		if i > 0 {
			b = append(b, '|')
		}
		b = append(b, part...)
	}
	return b
}

// checkPlace refuses a word that no device of t has.
func (b *binder) checkPlace(line int, same string, t *devices.Type) {
	if slices.Contains(places, same) {
		return
	}
	if tag := t.Tag(same); tag == nil || !tag.Registry {
		b.failAt(line, "%q is none of %s and the registry tags of %s", same, strings.Join(places, ", "), t.ID)
	}
}
