package alerts

import (
	"cmp"
	"math"
	"slices"
)

// reference is the alert engine as one would explain it, written down without thought for memory or speed: it keeps all that was ever
// said, and looks through it whenever it has a question. It shares no code with the engine, and knows nothing of checkpoints, commits
// and restarts. Times are ms after start.
type reference struct {
	rules    []*refRule
	gateways map[string]string // by device
	persons  map[string]string // by device
	family   []string
	people   map[string][]string // by target
	came     int64               // when what is in hand did
	clock    int64               // the latest receipt of a reading, or what the wall clock says less its grace
	wall     int64

	works     map[string][]stretch // in which a device is worked on, by the time of receipt
	said      []utterance          // readings
	events    []utterance
	heard     []utterance // both
	cells     []*refCell
	watches   []*refWatch
	sequences []*refSequence
	alerts    []*refAlert
	news      []refNews
	holds     map[string]*refHold
	begun     map[string]*refHold // commissionings, over or not
	loads     map[string]*refLoad

	closings int
}

// utterance is what a device said: a reading, or an event with its payload.
type utterance struct {
	device, series, event string // series: "p1", or "p1,inlet=2"
	at, received          int64
	fields                []field // in their order in the line
}

type stretch struct{ from, to int64 } // to is 0 while it lasts

type field struct {
	id string
	v  any // float64, bool or string
}

// sight is what a rule sees of the fields it reads; nil is not known.
type sight func(id string) any

// refRule is a rule. One with fields is judged at readings, one with an event at that.
type refRule struct {
	id, severity, category, plan string
	level                        int // from 1, the most severe; 0: there are none
	grade                        string
	safety, latched              bool
	person, whole                bool     // identity: of the person if there is one; of the device without its inlets
	fields                       []string // or signals
	signals                      map[string]refSignal
	groups                       map[string]*refGroup
	looks                        map[string]refLook
	everyone                     bool // identity: of the community
	fence                        *refFence
	age                          int64 // how long a value counts; 0: three minutes
	hold                         int64
	onChange                     bool // its fields are sent on change only
	when, clear                  func(v sight) maybe
	only                         string // device
	event, over                  string
	fits                         func(v sight) maybe // of the event
	order                        *refOrder
	confirmation                 *refConfirmation
	count                        int // of events
	window                       int64
}

// refCell is a rule on one series.
type refCell struct {
	rule           *refRule
	device, series string
	since          int64
	state          cellWord
	late           bool
	tried          int   // what was said when it was last tried by the clock
	judged         int64 // of a rule that looks at other devices: the newest time it was judged at
}

type cellWord string

const (
	quiet   cellWord = ""
	waiting cellWord = "waiting"
	burning cellWord = "burning"
)

const refMinute, refHour = int64(60_000), int64(3_600_000)

// refMaxAge is three of the reporting period, which is a minute for most that the tests say.
const refMaxAge = 3 * refMinute

func (r *refRule) maxAge() int64 {
	if r.age > 0 {
		return r.age
	}
	return refMaxAge
}

func (r *refRule) lateBy(lag int64) bool {
	if r.safety {
		return lag > 24*refHour
	}
	return lag > refHour
}

func (r *refRule) reads(s utterance) bool {
	return slices.ContainsFunc(r.fields, func(name string) bool { return s.get(r.field(name)) != nil })
}

func (m *reference) cell(r *refRule, s utterance) *refCell {
	for _, c := range m.cells {
		if c.rule == r && c.series == s.series {
			return c
		}
	}
	c := &refCell{rule: r, device: s.device, series: s.series, judged: math.MinInt64}
	m.cells = append(m.cells, c)
	return c
}

// due is when what is true now has been for long enough.
func (c *refCell) due() int64 { return c.since + c.rule.hold }

// hear judges a reading.
func (m *reference) hear(s utterance) {
	s.at, m.came = min(s.at, s.received), s.received
	m.advance(s.received)
	m.expire(s.received)
	m.listen(s)
	var touched []*refCell
	for _, f := range s.fields {
		for _, r := range m.rules {
			if c := m.cell(r, s); r.reads(utterance{fields: []field{f}}) && !slices.Contains(touched, c) {
				touched = append(touched, c)
			}
		}
	}
	touched = append(touched, m.lookers(s)...)
	stirs := m.stirs(s)
	judged := map[*refCell]int64{}
	for _, c := range inTheirOrder(touched) {
		before, ok := m.newest(s.series, c.rule.reads)
		if !ok {
			before.at = s.at
		}
		if c.rule.beyond() {
			before.at = c.judged
		}
		judged[c] = before.at
		if c.state == waiting && s.at >= before.at && s.at >= c.due() && m.fresh(c, c.due()) {
			m.fulfil(c)
		}
	}
	m.said = append(m.said, s)
	for _, c := range touched {
		switch {
		case s.at >= judged[c]:
			m.judge(c, s)
		case c.rule.beyond():
			m.judgeBehind(c, s)
		default:
			m.judgeOld(c, s)
		}
	}
	m.spread(s, stirs)
	m.settle()
}

// advance lets the clock be now. What has been true for long enough until then, and is known to be, opens.
func (m *reference) advance(now int64) {
	if now <= m.clock {
		return
	}
	m.clock = now
	m.miss(now)
	m.endSequences(now)
	m.settle()
	for due := m.due(); len(due) > 0; due = m.due() {
		for _, c := range due {
			c.tried = m.tries()
			last, _ := m.newest(c.series, anything)
			if m.fresh(c, max(c.due(), last.received)) {
				m.fulfil(c)
			}
		}
		m.settle()
	}
}

// tries is what a cell is tried by: only when more was said it is tried again.
func (m *reference) tries() int { return len(m.said) + 1 }

// due are the cells of which the time is over by the clock, in their order.
func (m *reference) due() []*refCell {
	due := slices.DeleteFunc(slices.Clone(m.cells), func(c *refCell) bool {
		return c.state != waiting || c.due() > m.clock || c.tried == m.tries()
	})
	slices.SortStableFunc(due, func(a, b *refCell) int {
		n := cmp.Compare(slices.Index(m.rules, a.rule), slices.Index(m.rules, b.rule))
		return cmp.Or(cmp.Compare(a.due(), b.due()), n, cmp.Compare(a.series, b.series))
	})
	return due
}

func (m *reference) fulfil(c *refCell) {
	if !c.rule.safety && m.inMaintenance(c.device, c.due()) {
		return
	}
	last, _ := m.newest(c.series, anything)
	m.fire(c, c.due(), last, m.shown(c, last.at))
}

// truth is the condition of a cell at what was received at a time. In maintenance nothing is known but of life-safety.
func (m *reference) truth(c *refCell, v sight, received int64) maybe {
	switch {
	case c.rule.only != "" && c.rule.only != c.device:
		return nay
	case !c.rule.safety && m.inMaintenance(c.device, received):
		return unsure
	}
	return c.rule.when(v)
}

func (m *reference) ends(c *refCell, v sight, received int64) bool {
	switch {
	case c.rule.only != "" && c.rule.only != c.device:
		return true
	case !c.rule.safety && m.inMaintenance(c.device, received):
		return false
	case c.rule.clear == nil:
		return m.truth(c, v, received) == nay
	}
	if c.rule.fence != nil {
		v = m.staying(c, v)
	}
	return c.rule.clear(v) == yea
}

func (m *reference) judge(c *refCell, s utterance) {
	c.judged = s.at
	v := m.sight(c, s.at)
	holds := m.truth(c, c.rule.guessing(v), s.received)
	switch {
	case c.state == burning && m.ends(c, v, s.received):
		m.passDown(c, s)
		m.lower(c, s.at)
	case c.state == burning:
		if a := m.current(c.rule, m.who(c)); holds == yea && c.late && s.received-s.at <= refHour {
			c.late = false
			if a != nil {
				m.lift(a, c, s.at, s.at, s, m.shown(c, s.at))
				m.confirm(a, s.at)
			}
		}
	case holds == yea:
		if c.state == quiet {
			c.state, c.since, c.tried = waiting, s.at, 0
		}
		due := c.due()
		if m.enough(c, s.at) {
			due = min(due, s.at)
		}
		if s.at >= due {
			m.fire(c, due, s, m.shown(c, s.at))
		}
	case holds == nay:
		c.state = quiet
		if c.rule.event != "" && m.ends(c, v, s.received) {
			m.lower(c, s.at)
		}
	}
}

// judgeOld judges a reading that is older than the newest. It opens what is of life-safety and needs no time, and else does nothing.
func (m *reference) judgeOld(c *refCell, s utterance) {
	alone := func(id string) any { return s.get(id) }
	if c.rule.safety && c.rule.hold == 0 && c.rule.signals == nil && c.state == quiet && !c.rule.lateBy(s.received-s.at) && m.truth(c, alone, s.received) == yea {
		c.since = s.at
		m.fire(c, s.at, s, s.get(c.rule.fields[0]))
	}
}

// who is the identity of a cell's alerts.
func (m *reference) who(c *refCell) string { return m.identity(c.rule, c.device, c.series) }

func (m *reference) identity(r *refRule, device, series string) string {
	switch p := m.persons[device]; {
	case r.everyone:
		return "community=tianjin"
	case r.person && p != "":
		return "person=" + p
	case r.person || r.whole:
		return "device=" + device
	}
	return "device=" + series
}

// fire opens the alert of a cell, because of what its device said.
func (m *reference) fire(c *refCell, opened int64, by utterance, v any) {
	c.state, c.late = burning, c.rule.lateBy(by.received-by.at)
	if a := m.current(c.rule, m.who(c)); a != nil && a.state != "cleared" {
		m.lift(a, c, c.since, opened, by, v)
		m.rouse(a, by)
		return
	}
	if m.outdone(c) {
		return
	}
	m.open(&refAlert{
		rule: c.rule, who: m.who(c), device: c.device, opened: opened, last: c.since, received: by.received,
		late: c.late, latched: c.rule.latched, value: v,
	})
}

// lower ends what a cell says of its alert. Another cell may still say it.
func (m *reference) lower(c *refCell, at int64) {
	was := c.state
	c.state, c.late = quiet, false
	for _, other := range m.cells {
		if other.rule.id == c.rule.id && other.state == burning && m.who(other) == m.who(c) {
			m.sink(c, at)
			return
		}
	}
	a := m.current(c.rule, m.who(c))
	if a == nil {
		return
	}
	if was == burning && c.rule.event == "" {
		at = max(at, a.last)
	}
	if at > a.last || at == a.last && was == burning {
		m.clear(a, at)
	}
}
