package alerts

import (
	"slices"
	"testing"
	"time"
)

// What testdata/types/probe.yaml, testdata/reference.yaml, plans.yaml and the built-in rules say, in Go.

func above(id string, limit float64) func(v sight) maybe {
	return func(v sight) maybe { return compare(v(id), func(x float64) bool { return x > limit }) }
}

func atLeast(id string, limit float64) func(v sight) maybe {
	return func(v sight) maybe { return compare(v(id), func(x float64) bool { return x >= limit }) }
}

func below(id string, limit float64) func(v sight) maybe {
	return func(v sight) maybe { return compare(v(id), func(x float64) bool { return x < limit }) }
}

func compare(v any, is func(x float64) bool) maybe {
	if x, ok := v.(float64); ok {
		return sure(is(x))
	}
	return unsure
}

func is(v any, what any) maybe {
	if v == nil {
		return unsure
	}
	return sure(v == what)
}

func not(x maybe) maybe {
	switch x {
	case yea:
		return nay
	case nay:
		return yea
	}
	return unsure
}

// maybe is what is known of a condition.
type maybe int

const (
	unsure maybe = iota
	nay
	yea
)

func sure(b bool) maybe {
	if b {
		return yea
	}
	return nay
}

func both(a, b maybe) maybe {
	switch {
	case a == nay || b == nay:
		return nay
	case a == unsure || b == unsure:
		return unsure
	}
	return yea
}

// refRules are the rules in the order of their file.
func refRules() []*refRule {
	return []*refRule{
		{
			id: "t_level", severity: "high", category: "water", plan: "urgent",
			fields: []string{"level"}, when: atLeast("level", 95), clear: below("level", 80), hold: 10 * refMinute,
		},
		{
			id: "t_heat", severity: "critical", category: "fire", plan: "safety", safety: true,
			fields: []string{"heat"}, when: above("heat", 50),
		},
		{
			id: "t_smoke", severity: "critical", category: "fire", plan: "safety", safety: true, event: "smoke_alarm",
			fields: []string{"smoke"}, onChange: true, when: func(v sight) maybe { return is(v("smoke"), true) },
		},
		{
			id: "t_sos", severity: "critical", category: "health", plan: "sos", safety: true, latched: true, person: true,
			event: "sos", fits: atLeast("confidence", 0.7),
		},
		{
			id: "t_jam", severity: "medium", category: "device", plan: "once",
			event: "jam", fits: atLeast("attempts", 3), over: "jam_over",
		},
		{
			id: "t_elder_door", severity: "medium", category: "health", plan: "once", only: "p3", onChange: true, hold: 5 * refMinute,
			fields: []string{"door", "awake"},
			when:   func(v sight) maybe { return both(not(is(v("door"), "closed")), not(is(v("awake"), true))) },
		},
		{
			id: "t_latched_heat", severity: "critical", category: "fire", plan: "urgent", latched: true, whole: true,
			fields: []string{"heat"}, when: above("heat", 100),
		},
		{
			id: "r_warm", severity: "low", category: "device", plan: "once", whole: true,
			fields: []string{"heat"}, when: above("heat", 100),
		},
		{
			id: "r_both", severity: "high", category: "water", plan: "urgent", hold: 2 * refMinute,
			fields: []string{"level", "heat"},
			when:   func(v sight) maybe { return both(atLeast("level", 60)(v), atLeast("heat", 60)(v)) },
		},
		{
			id: "r_often", severity: "medium", category: "device", plan: "once", event: "jam", count: 3, window: 10 * refMinute,
		},
		{id: "dev_maintenance", severity: "informational", category: "device", plan: "desk", event: "maintenance_start", over: "maintenance_end"},
		{id: "safety_event", severity: "critical", category: "health", plan: "sos", safety: true, latched: true, event: "flood"},
	}
}

var refPlans = map[string]*refPlan{
	"sos": {
		steps: []refStep{
			{tell: []string{"role:property_duty", "circle:1"}},
			{wait: 20_000, tell: []string{"role:property_duty"}, voice: true},
			{wait: 20_000, tell: []string{"circle:1"}, voice: true},
			{wait: 35_000, tell: []string{"role:property_duty:2", "circle:2"}},
			{wait: 45_000, tell: []string{"role:manager", "role:caretaker", "role:grid_worker", "circle"}},
		},
		unanswered: refMinute, repeat: rounds(10, 3*refMinute, 15*refMinute), remind: 8 * refMinute, lapse: 10 * refMinute,
	},
	"safety": {
		steps: []refStep{
			{tell: []string{"role:property_duty", "role:security_guard"}},
			{wait: 30_000, tell: []string{"role:property_duty", "role:security_guard"}, voice: true},
			{wait: 60_000, tell: []string{"role:manager", "role:maintenance", "circle:1"}},
		},
		unanswered: 90_000, repeat: rounds(10, 3*refMinute, 15*refMinute), remind: 25 * refMinute, lapse: 30 * refMinute,
	},
	"wellbeing": {
		steps: []refStep{
			{tell: []string{"role:caretaker", "circle:1"}},
			{wait: 15 * refMinute, tell: []string{"role:property_duty", "circle"}},
		},
		unanswered: 30 * refMinute, repeat: rounds(3, refHour, 8*refHour), ackAny: true, remind: 25 * refMinute, lapse: 30 * refMinute,
	},
	"urgent": {
		steps: []refStep{
			{tell: []string{"role:property_duty"}},
			{wait: 10 * refMinute, tell: []string{"role:maintenance", "role:manager"}},
		},
		unanswered: 20 * refMinute, repeat: func(round int) int64 {
			return []int64{30 * refMinute, 2 * refHour, 8 * refHour}[min(round, 2)]
		},
		ackAny: true, remind: 25 * refMinute, lapse: 30 * refMinute,
	},
	"once": {
		steps: []refStep{{tell: []string{"role:property_duty"}}}, unanswered: 8 * refHour, ackAny: true,
		days: func(round int) int64 { return []int64{1, 1, 1, 7}[min(round, 3)] },
	},
	"desk": {steps: []refStep{{tell: []string{duty}}}, ackAny: true},
}

func rounds(n int, first, then int64) func(round int) int64 {
	return func(round int) int64 {
		if round < n {
			return first
		}
		return then
	}
}

// refFiles have the rules of the reference beside those of testdata/types.
var refFiles = []string{
	"testdata/reference.yaml",
	"testdata/reference_measures.yaml",
	"testdata/reference_absence.yaml",
	"testdata/reference_levels.yaml",
	"testdata/reference_confirmations.yaml",
	"testdata/reference_group.yaml",
	"testdata/reference_fence.yaml",
	"testdata/reference_sequences.yaml",
	"testdata/reference_compound.yaml",
}

// refEngineRules are those of the reference.
func refEngineRules(t *testing.T) *Rules {
	rules := testRules(t, refFiles...)
	rules.causes = append(rules.causes, edge{cause: "t_level", effect: "t_jam", within: "gateway", wait: 3 * time.Minute})
	return rules
}

// refAllRules are the same in Go. Those of a file are in its order.
func refAllRules() []*refRule {
	return slices.Concat(refRules(), refMeasureRules(), refLevelRules(), refConfirmedRules(), refGroupRules(), refFenceRules(), refSequenceRules(), refCompoundRules())
}
