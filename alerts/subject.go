package alerts

import (
	"math"
	"strconv"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
)

// subject is what an alert is about.
type subject struct {
	community, device string
	typ               *devices.Type
	dev               *devices.Device // nil when the registry does not know it
	tags              []pair          // payload tags; the value is empty when there is none
	field             string          // of a rule on several fields
	event             string          // of an event
}

// subjectOf is the subject of one bound on one series, the device being dev.
func subjectOf(s *series, b *bound, dev *devices.Device) subject {
	sub := subject{community: s.community, device: s.device, typ: s.prog.typ, dev: dev}
	for i, tag := range s.prog.tags {
		sub.tags = append(sub.tags, pair{tag, s.tags[i]})
	}
	if len(b.Fields) > 1 {
		sub.field = b.field.ID
	}
	return sub
}

// identity makes occurrences of a rule one episode. The person stands for the device, if one is assigned.
func identity(r *Rule, sub subject) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	if len(r.Identity) == 0 {
		add("device", sub.device)
		for _, t := range sub.tags {
			add(t.name, t.value)
		}
		add("field", sub.field)
		if r == safetyEvent {
			add("event", sub.event)
		}
		return strings.Join(parts, ",")
	}
	person := ""
	for _, name := range r.Identity {
		switch name {
		case "person":
			if sub.dev != nil {
				person = sub.dev.Person
			}
			add(name, person)
		case "device":
			if person == "" {
				add(name, sub.device)
			}
		case "field":
			add(name, sub.field)
		default:
			for _, t := range sub.tags {
				if t.name == name {
					add(name, t.value)
				}
			}
			if where, ok := common(sub.dev, name); ok {
				add(name, strings.ReplaceAll(strings.TrimPrefix(where, name+"|"), "|", "/"))
			}
		}
	}
	if len(parts) == 0 {
		return "device=" + sub.device
	}
	return strings.Join(parts, ",")
}

// alert is a new alert, without what its reading or event tells.
func (c *core) alert(b *bound, sub subject, who string, openedAt, since int64) *bus.Alert {
	at := moment(openedAt)
	a := &bus.Alert{
		ID: alertID(b.ID, who, at), Rule: b.ID, Kind: string(b.Kind), Name: b.Name,
		Severity: b.Severity, Category: b.Category, State: bus.Opened, Safety: b.Safety, Latched: b.Latched,
		Community: sub.community, Device: sub.device, Type: sub.typ.ID, Identity: who,
		Level: b.levelName(), Judged: b.judged,
		OpenedAt: at, EventTime: moment(since), LastEvent: moment(since), Count: 1,
	}
	if sub.dev != nil {
		a.Person, a.Place = sub.dev.Person, sub.dev.Place
	}
	return a
}

// display is the value of a bound's first signal for people and JSON.
func (b *bound) display(x float64) any {
	f := b.field
	if sig := &b.signals[b.main]; sig.measure != nil || sig.group != nil && sig.group.fn != "last" {
		return x
	}
	switch f.Type {
	case devices.Bool:
		return x != 0
	case devices.Enum:
		return f.Enum[int(x)]
	}
	return x
}

// text is one sentence for a person: where, what, the value, and how late it is.
func (c *core) text(b *bound, sub subject, a *bus.Alert) devices.Text {
	what := b.Name
	if b.Text.ZH != "" {
		what = b.Text
	}
	if b.Rule == safetyEvent {
		what = sub.typ.Event(sub.event).Name
	}
	zh, en := c.where(sub)
	value := valueText(b, sub, a)
	z, e := zh+"："+what.ZH, what.EN+" at "+en
	if value.ZH != "" {
		z, e = z+"（"+value.ZH+"）", e+" ("+value.EN+")"
	}
	if b.spec.watches {
		zh, en := c.lastHeard(sub, a)
		return devices.Text{ZH: z + zh, EN: e + en}
	}
	if lag := a.Received.Sub(a.EventTime) - b.within; b.For == 0 && lag >= 5*time.Minute {
		clock := a.EventTime.In(c.zone(sub.community)).Format("01-02 15:04")
		z += "，发生于 " + clock + "，迟到 " + spell(lag, "小时", "分钟")
		e += ", happened " + clock + ", arrived " + spell(lag, " h", " min") + " late"
	}
	return devices.Text{ZH: z, EN: e}
}

// where names the place and the device as far as they are known.
func (c *core) where(sub subject) (zh, en string) {
	var place devices.Place
	name := sub.device
	who := ""
	if sub.dev != nil {
		place = sub.dev.Place
		if sub.dev.Name != "" {
			name = sub.dev.Name
		}
		if p := c.dir.Person(sub.dev.Person); p != nil {
			who = p.Name
		}
	}
	x := c.dir.Community(sub.community)
	community, at := devices.Text{ZH: sub.community, EN: sub.community}, x.Where(place)
	if x != nil && x.Name.ZH != "" {
		community = x.Name
	}
	join := func(parts ...string) string {
		return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	}
	zh, en = join(community.ZH, at.ZH, name, who), join(community.EN, at.EN, name, who)
	for _, t := range sub.tags {
		if t.value == "" {
			continue
		}
		said := devices.Text{ZH: t.value, EN: t.value} // a field of an event's payload
		if tag := sub.typ.Tag(t.name); tag != nil {
			said = tag.Say(t.value)
		}
		zh, en = zh+" "+said.ZH, en+" "+said.EN
	}
	return zh, en
}

// valueText is the value of the rule's field with its name.
func valueText(b *bound, sub subject, a *bus.Alert) devices.Text {
	f := b.field
	if f == nil || a.Value == nil {
		return devices.Text{}
	}
	switch v := a.Value.(type) {
	case float64:
		n := strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
		return devices.Text{ZH: f.Name.ZH + " " + n + unitText(f.Unit), EN: f.Name.EN + " " + n + unitText(f.Unit)}
	case string:
		for i, id := range f.Enum {
			if id == v && i < len(f.Labels) {
				return devices.Text{ZH: f.Name.ZH + " " + f.Labels[i].ZH, EN: f.Name.EN + " " + f.Labels[i].EN}
			}
		}
	}
	return devices.Text{}
}

// unitText is a UCUM code as people write it.
func unitText(unit string) string {
	switch {
	case unit == "1" || unit == "" || strings.HasPrefix(unit, "{"):
		return ""
	case unit == "%":
		return "%"
	case unit == "Cel":
		return " °C"
	}
	return " " + strings.NewReplacer("[", "", "]", "", "m3", "m³", "m2", "m²", "{", "", "}", "").Replace(unit)
}

func spell(d time.Duration, hours, minutes string) string {
	if d >= time.Hour {
		return strconv.Itoa(int(d.Hours())) + hours
	}
	return strconv.Itoa(int(d.Minutes())) + minutes
}
