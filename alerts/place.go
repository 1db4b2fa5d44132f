package alerts

import (
	"slices"
	"strings"

	"linli/devices"
)

// places are the words of same and of besides the registry tags of a type: what devices may have in common.
var places = strings.Fields("device person gateway community estate building unit zone")

// common is what a device shares with others of its kind of place; false when it is in none. A registry tag is one within the
// community.
func common(d *devices.Device, same string) (string, bool) {
	if d == nil {
		return "", false
	}
	within := func(parts ...string) (string, bool) {
		return strings.Join(append([]string{same, d.Community}, parts...), "|"), !slices.Contains(parts, "")
	}
	switch same {
	case "device":
		return within(d.ID)
	case "person":
		return within(d.Person)
	case "gateway":
		if d.Gateway == "" {
			return within(d.ID)
		}
		return within(d.Gateway)
	case "community":
		return within()
	case "estate":
		return within(d.Place.Estate)
	case "building":
		key, _ := within(d.Place.Estate, d.Place.Building) // a community of one estate names none
		return key, d.Place.Building != ""
	case "unit":
		key, _ := within(d.Place.Estate, d.Place.Building, d.Place.Unit)
		return key, d.Place.Unit != ""
	case "zone":
		key, _ := within(d.Place.Estate, d.Place.Building, d.Place.Unit, d.Place.Zone)
		return key, d.Place.Zone != ""
	}
	return within(d.Tags[same])
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
