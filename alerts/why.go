package alerts

import (
	"strconv"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
)

var levelWords = map[int]string{typeLevel: "type", communityLevel: "community", groupLevel: "group", deviceLevel: "device"}

// Why says of every rule of a device's type whether it is in force for that device.
func (r *Rules) Why(d *devices.Device, dir Directory) []bus.RuleInForce {
	all := []bus.RuleInForce{}
	p := r.byType[d.Type]
	if p == nil {
		return all
	}
	c := &core{rules: r, dir: dir, clock: time.Now().UnixMilli()}
	for _, rule := range r.all {
		for _, b := range p.ofRule(rule.ID) {
			all = append(all, c.why(b, d))
			break // its other fields have the same parameters
		}
	}
	return all
}

func (c *core) why(base *bound, d *devices.Device) bus.RuleInForce {
	b, holds := base.forDevice(d)
	a := bus.RuleInForce{
		Rule: base.ID, Name: base.Name, Kind: string(base.Kind), Severity: base.Severity, Safety: base.Safety, InForce: true,
		Params: base.params(), Where: base.Rule.Where(),
	}
	if original := c.rules.Rule(base.ID); original != nil {
		a.Where = original.Where()
	}
	for _, v := range base.variants {
		if v.matches(d) {
			o := v.view()
			o.Holds = v.override == holds
			a.Overrides = append(a.Overrides, o)
		}
	}
	switch {
	case d.State != devices.Active:
		a.InForce, a.Why = false, "the device is "+string(d.State)
		return a
	case b == nil:
		a.InForce, a.Why = false, "disabled: "+holds.reason+" ("+holds.where()+")"
		return a
	}
	a.Severity, a.Params = b.Severity, b.params()
	if b.Rule.fence.homeless(d) {
		a.InForce, a.Why = false, "the registry has no "+homeAttributes[0]+" and "+homeAttributes[1]+" of the device"
		return a
	}
	if b.applies != nil {
		switch t := b.applies.eval(&scope{core: c, bound: b, dev: d, at: c.clock}); {
		case t == no:
			a.InForce, a.Why = false, "applies is false: "+b.Rule.applies.text
		case t == unknown && !b.Safety:
			a.InForce, a.Why = false, "applies is not known: "+b.Rule.applies.text
		}
	}
	return a
}

// params are what a rule asks for, as files spell it.
func (b *bound) params() map[string]string {
	all := map[string]string{}
	put := func(key, value string) {
		if value != "" {
			all[key] = value
		}
	}
	duration := func(key string, d time.Duration) {
		if d > 0 {
			all[key] = formatOffset(d)
		}
	}
	r := b.Rule
	r.eachCondition(put)
	for _, at := range r.grades() {
		duration(at.prefix()+"for", at.For)
	}
	put("applies", r.applies.text)
	put("cleared_by", r.clearedBy)
	put("first", r.first.String())
	put("then", r.then.String())
	put("without", r.without.String())
	put("fields", strings.Join(r.Fields, " "))
	put("events", strings.Join(r.Events, " "))
	put("plan", r.Escalate)
	if r.between != nil {
		put("schedule", r.between.String())
	}
	duration("max_age", r.MaxAge)
	duration("within", r.within)
	duration("per", r.per)
	if r.Kind == GeofenceKind {
		var zones []string
		for _, z := range r.fence.zones {
			zones = append(zones, z.String())
		}
		put("zone", strings.Join(zones, " | "))
		put("fixes", strconv.Itoa(r.fence.fixes))
	}
	if r.confirmation != nil {
		put("confirmed_by", strings.Join(r.confirmation.rules, " "))
	}
	duration("window", max(b.window, r.own.window.fixed))
	duration("will", b.will)
	if r.count > 0 {
		put("count", strconv.FormatFloat(r.count, 'f', -1, 64))
	}
	return all
}

// eachCondition hands over the conditions of a rule, of each level with the name of the level before, and the severities of levels.
func (r *Rule) eachCondition(put func(key, value string)) {
	for _, at := range r.grades() {
		if name := at.levelName(); name != "" {
			put(name, string(at.Severity))
		}
		put(at.prefix()+"when", at.when.text)
		put(at.prefix()+"clear", at.clear.text)
	}
}

// prefix begins the keys of what a rule says at its level.
func (r *Rule) prefix() string {
	if name := r.levelName(); name != "" {
		return name + " "
	}
	return ""
}

// conditions are what an alert keeps of how it was judged; nil for what compares no readings.
func (b *bound) conditions() map[string]string {
	if b.field == nil || b.when == nil {
		return nil
	}
	all := map[string]string{"fields": b.field.ID}
	b.eachCondition(func(key, value string) {
		if value != "" {
			all[key] = value
		}
	})
	return all
}
