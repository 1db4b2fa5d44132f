package alerts

import (
	"errors"

	"linli/bus"
	"linli/devices"
)

// contactOrder is the rule of the notes that the order of a contact circle is another one: told to all the others of it, whatever the
// elder has agreed to, because it is about them.
var contactOrder = &Rule{
	ID: bus.ContactOrderRule, Kind: EventKind, Name: devices.Text{ZH: "联系顺序已更改", EN: "The contact order has changed"},
	Severity: bus.Informational, Category: "service", Basis: "judgement",
}

// reordered tells a circle of its new order, which the note of the action says.
func (b *book) reordered(x *bus.Action) error {
	elder := b.dir.Person(x.About)
	if elder == nil {
		return errors.New("reordered: about nobody who is known")
	}
	r, who := contactOrder, "person="+elder.ID
	a := &bus.Alert{
		ID: alertID(r.ID, who, x.At), Rule: r.ID, Kind: string(r.Kind), Name: r.Name, Severity: r.Severity, Category: r.Category,
		State: bus.Opened, Community: elder.Community, Person: elder.ID, Identity: who,
		OpenedAt: x.At, EventTime: x.At, LastEvent: x.At, Received: x.At, Count: 1, Text: devices.Text{
			ZH: x.By + "更改了" + elder.Name + "的联系顺序：" + x.Note, EN: x.By + " changed the contact order of " + elder.Name + ": " + x.Note,
		},
	}
	if b.alerts[a.ID] != nil {
		return nil
	}
	b.alerts[a.ID] = a
	var others []string
	for _, m := range elder.Circle {
		if m.Person != x.Person {
			others = append(others, "person:"+m.Person)
		}
	}
	b.record(a, bus.AlertEvent{
		Kind: opened, At: x.At, By: x.By, Who: x.Person, Key: x.Key, Tell: b.address(a, b.resolve(a, others, x.At), x.At),
	})
	b.close(a, x.At, "", "to be read, not to be looked after")
	return nil
}
