package alerts

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
		if p := c.dir.Person(sub.dev.Person); p != nil && !names(name, p.Name) {
			who = p.Name
		}
	}
	x := c.dir.Community(sub.community)
	community, at := devices.Text{ZH: sub.community, EN: sub.community}, x.Where(place)
	if x != nil && x.Name.ZH != "" {
		community = x.Name
	}
	said := []devices.Text{community, at, {ZH: name, EN: name}, {ZH: who, EN: who}}
	for _, t := range sub.tags {
		if tag := sub.typ.Tag(t.name); tag != nil && t.value != "" {
			said = append(said, tag.Say(t.value))
		} else {
			said = append(said, devices.Text{ZH: t.value, EN: t.value}) // a field of an event's payload
		}
	}
	return joinWhere(said...)
}

// joinWhere joins the parts of a place that are known, from the large to the small.
func joinWhere(parts ...devices.Text) (zh, en string) {
	for _, p := range parts {
		if p.ZH != "" {
			zh += " " + p.ZH
		}
		if p.EN != "" {
			en += ", " + p.EN
		}
	}
	return strings.TrimPrefix(zh, " "), strings.TrimPrefix(en, ", ")
}

// names reports whether the name of a device has that of its wearer in it. Letters beside the wearer's make it another name, unless
// they are Chinese, where no space ends a word.
func names(device, wearer string) bool {
	before, after, found := strings.Cut(device, wearer)
	if !found {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	goesOn := func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Han, r) }
	return !goesOn(last) && !goesOn(next)
}

// valueText is the value of the rule's field with its name.
func valueText(b *bound, sub subject, a *bus.Alert) devices.Text {
	f := b.field
	if f == nil || a.Value == nil {
		return devices.Text{}
	}
	switch v := a.Value.(type) {
	case float64:
		n, zh, en := quantity(v, f.Unit)
		return devices.Text{ZH: f.Name.ZH + " " + n + zh, EN: f.Name.EN + " " + n + en}
	case string:
		for i, id := range f.Enum {
			if id == v && i < len(f.Labels) {
				return devices.Text{ZH: f.Name.ZH + " " + f.Labels[i].ZH, EN: f.Name.EN + " " + f.Labels[i].EN}
			}
		}
	}
	return devices.Text{}
}

// chineseUnits are what has a name in Chinese; other units are written as symbols there too.
var chineseUnits = map[string]string{"s": " 秒", "min": " 分钟", "h": " 小时", "d": " 天", "{CNY}": " 元"}

// quantity is a number with its UCUM unit as people write them: many seconds are minutes or hours.
func quantity(v float64, unit string) (n, zh, en string) {
	switch long := math.Abs(v); {
	case unit == "s" && long >= 7200:
		v, unit = math.Round(v/360)/10, "h"
	case unit == "s" && long >= 120:
		v, unit = math.Round(v/6)/10, "min"
	}
	n = strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
	en = unitText(unit)
	return n, cmp.Or(chineseUnits[unit], en), en
}

// unitText is a UCUM code as people write it.
func unitText(unit string) string {
	switch {
	case unit == "{CNY}":
		return " CNY"
	case unit == "1" || unit == "" || strings.HasPrefix(unit, "{"):
		return ""
	case unit == "%":
		return "%"
	case unit == "Cel", unit == "K": // a temperature, and a difference of two
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
