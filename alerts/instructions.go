package alerts

import (
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
	where, who, phone, notes := b.whereabouts(a), "", "", ""
	if p != nil {
		who, phone, notes = p.Name, p.Phone, p.Notes
		if p.Home != "" {
			where = devices.Text{ZH: p.Home, EN: p.Home}
		}
	}
	part := func(before, what string) string {
		if what == "" {
			return ""
		}
		return before + what
	}
	return devices.Text{
		ZH: "拨打" + number + "（" + zh + "）：地址 " + where.ZH + part("；姓名 ", who) + "；情况 " + a.Name.ZH + part("；电话 ", phone) + part("；注意 ", notes) + "。",
		EN: "Call " + number + " (" + en + "): address " + where.EN + part("; name ", who) + "; what " + a.Name.EN + part("; phone ", phone) + part("; note ", notes) + ".",
	}
}

// whereabouts is where an alert is, as far as the registry knows.
func (b *book) whereabouts(a *bus.Alert) devices.Text {
	community, device := devices.Text{ZH: a.Community, EN: a.Community}, a.Device
	if c := b.dir.Community(a.Community); c != nil && c.Name.ZH != "" {
		community = c.Name
	}
	if d := b.dir.Device(a.Device); d != nil && d.Name != "" {
		device = d.Name
	}
	zh, en := joinWhere(community, a.Where, devices.Text{ZH: device, EN: device})
	return devices.Text{ZH: zh, EN: en}
}
