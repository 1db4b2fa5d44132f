package alerts

import (
	"strings"

	"linli/bus"
	"linli/devices"
)

// instructions are what whoever is told of an emergency says on the telephone: whom to call, where to come, what has happened.
func (b *book) instructions(a *bus.Alert) devices.Text {
	var number, zh, en string
	switch {
	case !a.Safety:
		return devices.Text{}
	case a.Category == "health":
		number, zh, en = "120", "急救", "ambulance"
	case a.Category == "fire":
		number, zh, en = "119", "消防", "fire brigade"
	default:
		return devices.Text{}
	}
	p := b.dir.Person(a.Person)
	where := place(a)
	who, phone, notes := "", "", ""
	if p != nil {
		who, phone, notes = p.Name, p.Phone, p.Notes
		if p.Home != "" {
			where = p.Home
		}
	}
	part := func(before, what string) string {
		if what == "" {
			return ""
		}
		return before + what
	}
	return devices.Text{
		ZH: "拨打" + number + "（" + zh + "）：地址 " + where + part("；姓名 ", who) + "；情况 " + a.Name.ZH + part("；电话 ", phone) + part("；注意 ", notes) + "。",
		EN: "Call " + number + " (" + en + "): address " + where + part("; name ", who) + "; what " + a.Name.EN + part("; phone ", phone) + part("; note ", notes) + ".",
	}
}

// place is where an alert is, as far as the registry knows.
func place(a *bus.Alert) string {
	return strings.Join(strings.Fields(strings.Join([]string{a.Community, a.Place.Estate, a.Place.Building, a.Place.Unit, a.Place.Zone, a.Device}, " ")), " ")
}
