package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"linli/bus"
	"linli/devices"
)

// contactUnreachable is the rule of the alerts that say that a way to somebody does not work: told to the desk, and to the circle of
// the elder in whose alert it was found.
var contactUnreachable = &Rule{
	ID: "contact_unreachable", Kind: StateKind, Name: devices.Text{ZH: "联系方式失效", EN: "A contact cannot be reached"},
	Severity: bus.Medium, Category: "service", Basis: "judgement", Escalate: "contact",
}

// badAddress opens an alert that an address of a person does not exist any more.
func (b *book) badAddress(x *bus.Action) error {
	if x.Person == "" || x.Address == nil {
		return errors.New("bad_address: person and address wanted")
	}
	elder, place := "", devices.Place{}
	if a := b.alerts[x.Alert]; a != nil {
		if a.Rule == contactUnreachable.ID { // it says so already
			return nil
		}
		elder, place = a.Person, a.Place
	}
	who := contactIdentity(x.Person, x.Address.Channel)
	if elder != "" && elder != x.Person {
		who += ",person=" + elder
	}
	if e := b.episodes[episodeKey(contactUnreachable.ID, who)]; e != nil && e.alert != nil {
		if e.alert.State != bus.Cleared {
			return nil
		}
		b.close(e.alert, x.At, "", "failed again")
	}
	r := contactUnreachable
	a := &bus.Alert{
		ID: alertID(r.ID, who, x.At), Rule: r.ID, Kind: string(r.Kind), Name: r.Name, Severity: r.Severity, Category: r.Category,
		State: bus.Opened, Community: x.Community, Person: elder, Place: place, Identity: who,
		OpenedAt: x.At, EventTime: x.At, LastEvent: x.At, Received: x.At, Count: 1, Text: b.contactText(x, elder),
	}
	b.open(a)
	return nil
}

func contactIdentity(person, channel string) string {
	return "contact=" + person + ",channel=" + channel
}

// contactText says whose address it is, of whose circle, and what the provider says of it.
func (b *book) contactText(x *bus.Action, elder string) devices.Text {
	name := func(id string) string {
		if p := b.dir.Person(id); p != nil {
			return p.Name
		}
		return id
	}
	who := name(x.Person)
	zh, en := who, who
	if elder != "" && elder != x.Person {
		zh, en = name(elder)+"的联系人"+who, who+", contact of "+name(elder)+","
	}
	return devices.Text{
		ZH: fmt.Sprintf("%s无法通过 %s %s 联系：%s", zh, x.Address.Channel, x.Address.To, x.Note),
		EN: fmt.Sprintf("%s cannot be reached over %s %s: %s", en, x.Address.Channel, x.Address.To, x.Note),
	}
}

// goodAddress clears what badAddress opened: something has arrived over that channel since.
func (b *book) goodAddress(x *bus.Action) error {
	if x.Person == "" || x.Address == nil {
		return errors.New("good_address: person and address wanted")
	}
	for _, a := range b.ofContact(contactIdentity(x.Person, x.Address.Channel)) {
		b.clear(a, latest(a.OpenedAt, x.At))
	}
	return nil
}

// ofContact are the open alerts about a way to somebody, in the order in which they opened.
func (b *book) ofContact(who string) (all []*bus.Alert) {
	for _, a := range b.alerts {
		if a.Rule == contactUnreachable.ID && a.State != bus.Closed && strings.HasPrefix(a.Identity+",", who+",") {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(x, y *bus.Alert) int { return cmp.Or(x.OpenedAt.Compare(y.OpenedAt), cmp.Compare(x.ID, y.ID)) })
	return all
}
