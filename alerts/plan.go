package alerts

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/people"
)

//go:embed plans.yaml
var builtinPlans []byte

//go:embed causes.yaml
var builtinCauses []byte

// Plan says who is told of an alert, in which order, until somebody acknowledges it. See plans.yaml.
type Plan struct {
	ID         string
	Steps      []bus.Step
	Unanswered time.Duration // after the last step; 0: never
	Repeat     []bus.Repeat
	AckAny     bool // an acknowledgement of the family stops the property's steps as well
	Remind     time.Duration
	Lapse      time.Duration // 0: an acknowledgement holds
}

// choice is one line of escalate.
type choice struct {
	plan, file string
	safety     bool // of life-safety only
	categories []string
	severities []bus.Severity
	line       int
}

func (c *choice) fits(r *Rule) bool {
	return (!c.safety || r.Safety) &&
		(len(c.categories) == 0 || slices.Contains(c.categories, r.Category)) &&
		(len(c.severities) == 0 || slices.Contains(c.severities, r.Severity))
}

// freeze is the plan as an alert keeps it, not begun.
func (p *Plan) freeze() *bus.Escalation {
	return &bus.Escalation{
		Plan: p.ID, Steps: p.Steps, Unanswered: seconds(p.Unanswered), Repeat: p.Repeat, AckAny: p.AckAny,
		Remind: seconds(p.Remind), Lapse: seconds(p.Lapse),
	}
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// ladders are what files say of who is told: plans, which rule has which, and which alerts follow from which.
type ladders struct {
	plans   map[string]*Plan
	choices []choice
	edges   []edge
}

// keys are those of a file, read into l. A plan that is known already stays as it is.
func (l *ladders) keys(p *parser) map[string]read {
	return map[string]read{
		"plans":    p.each(func(n *yaml.Node) { l.add(p.plan(n)) }),
		"escalate": p.each(func(n *yaml.Node) { l.choices = append(l.choices, p.choice(n)) }),
		"causes":   p.each(func(n *yaml.Node) { l.edges = append(l.edges, p.edge(n)) }),
	}
}

func (l *ladders) add(p *Plan) {
	if l.plans == nil {
		l.plans = map[string]*Plan{}
	}
	if l.plans[p.ID] == nil {
		l.plans[p.ID] = p
	}
}

// escalate adds what linli brings along, and finds the plan of every rule.
func (l *loader) escalate(rules *Rules) {
	for name, data := range map[string][]byte{"plans.yaml": builtinPlans, "causes.yaml": builtinCauses} {
		l.file(name, data)
	}
	rules.byID, rules.plans = map[string]*Rule{}, map[planKey]*Plan{}
	for _, r := range append(slices.Clone(rules.all), safetyEvent, maintenance, digest, contactUnreachable, contactOrder, allIsWell, noSignOfLife, peopleProblems) {
		rules.byID[r.ID] = r
		for _, severity := range r.severities() {
			rules.plans[planKey{r.ID, severity}] = l.planFor(r, severity)
		}
	}
	for _, c := range l.choices {
		if l.plans[c.plan] == nil {
			l.fail(c.file, c.line, "escalate: unknown plan %q", c.plan)
		}
	}
	for _, e := range l.edges {
		for _, id := range []string{e.cause, e.effect} {
			if rules.byID[id] == nil && e.file != "causes.yaml" { // a catalogue may have other rules than ours
				l.fail(e.file, e.line, "causes: unknown rule %q", id)
			}
		}
		rules.causes = append(rules.causes, e)
	}
}

// planKey is what the plan of an alert depends on.
type planKey struct {
	rule     string
	severity bus.Severity
}

// severities are those that alerts of a rule may have, the first that of the rule.
func (r *Rule) severities() []bus.Severity {
	all := []bus.Severity{r.Severity}
	for _, l := range r.Levels {
		all = append(all, l.Severity)
	}
	if r.confirmation != nil && r.confirmation.severity != "" {
		all = append(all, r.confirmation.severity)
	}
	return all
}

// planFor is the plan of a rule's alerts of a severity.
func (l *loader) planFor(r *Rule, severity bus.Severity) *Plan {
	at, name := *r, r.Escalate
	at.Severity = severity
	if i := slices.IndexFunc(l.choices, func(c choice) bool { return c.fits(&at) }); name == "" && i >= 0 {
		name = l.choices[i].plan
	}
	if l.plans[name] == nil {
		l.fail(r.File, r.Line, "rule %s: unknown plan %q", r.ID, name)
	}
	return l.plans[name]
}

// plan is that of a rule for a severity. One that only an override gives counts as the rule's own; of a rule that is not known any
// more it is the last resort.
func (r *Rules) plan(rule string, severity bus.Severity) *Plan {
	if p := r.plans[planKey{rule, severity}]; p != nil {
		return p
	}
	if known := r.byID[rule]; known != nil {
		if p := r.plans[planKey{rule, known.Severity}]; p != nil {
			return p
		}
	}
	return &Plan{ID: "desk", Steps: []bus.Step{{Tell: []string{duty}}}, AckAny: true}
}

func (p *parser) plan(n *yaml.Node) *Plan {
	x := &Plan{}
	ack := "staff"
	p.mapping(n, map[string]read{
		"id":         scalar(p.reader, &x.ID, identifier),
		"steps":      p.each(func(n *yaml.Node) { x.Steps = append(x.Steps, p.rung(n)) }),
		"repeat":     p.each(func(n *yaml.Node) { x.Repeat = append(x.Repeat, p.repeat(n)) }),
		"ack":        word(p.reader, &ack, "staff", "any"),
		"unanswered": p.duration(&x.Unanswered), "remind": p.duration(&x.Remind), "lapse": p.duration(&x.Lapse),
	}, "id", "steps")
	x.AckAny = ack == "any"
	for _, mistake := range x.mistakes() {
		p.fail(n.Line, "plan %s: %s", x.ID, mistake)
	}
	return x
}

func (p *parser) repeat(n *yaml.Node) bus.Repeat {
	var every time.Duration
	var rounds, days float64
	var at string
	p.mapping(n, map[string]read{
		"every": p.duration(&every), "days": p.number(&days), "at": scalar(p.reader, &at, clock), "rounds": p.number(&rounds),
	})
	return bus.Repeat{Every: seconds(every), Days: int(days), At: at, Rounds: int(rounds)}
}

// clock checks a time of day.
func clock(s string) (string, error) {
	if _, err := time.Parse(timeOfRound, s); err != nil {
		return "", fmt.Errorf("want a time of day such as 08:00, got %q", s)
	}
	return s, nil
}

func (p *parser) rung(n *yaml.Node) (s bus.Step) {
	var wait time.Duration
	var way float64
	p.mapping(n, map[string]read{"wait": p.duration(&wait), "tell": p.strs(&s.Tell), "way": p.number(&way)}, "tell")
	s.Wait, s.Way = seconds(wait), int(way)
	for _, t := range s.Tell {
		if err := people.CheckTarget(t); err != nil {
			p.fail(n.Line, "%v", err)
		}
	}
	return s
}

// mistakes are what would let a ladder end in silence, or never begin.
func (p *Plan) mistakes() (all []string) {
	say := func(format string, a ...any) { all = append(all, fmt.Sprintf(format, a...)) }
	if len(p.Steps) == 0 || p.Steps[0].Wait != 0 {
		say("the first step comes at once")
	}
	for i, r := range p.Repeat {
		switch last := i == len(p.Repeat)-1; {
		case r.Every == 0 == (r.Days == 0) || r.Every < 0 || r.Days < 0 || r.Gathered() != (r.At != ""):
			say("a repeat is every so long, or every so many days at a time")
		case last && r.Rounds != 0:
			say("the last repeat has no rounds: a ladder never ends")
		case !last && r.Rounds < 1:
			say("a repeat before the last has rounds")
		}
	}
	if len(p.Steps) > 1 && len(p.Repeat) == 0 {
		say("a plan of several steps repeats")
	}
	if p.Lapse > 0 && p.Remind >= p.Lapse {
		say("the reminder comes before the acknowledgement lapses")
	}
	return all
}

// choice reads which rules have which plan.
func (p *parser) choice(n *yaml.Node) choice {
	c := choice{file: p.file, line: n.Line}
	var severities []string
	p.mapping(n, map[string]read{
		"plan": p.str(&c.plan), "safety": p.flag(&c.safety), "category": p.words(&c.categories), "severity": p.words(&severities),
	}, "plan")
	for _, s := range severities {
		c.severities = append(c.severities, bus.Severity(s))
	}
	return c
}

// words reads one word or a list of them.
func (r *reader) words(to *[]string) read {
	return func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			n = &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Content: []*yaml.Node{n}}
		}
		r.strs(to)(n)
	}
}
