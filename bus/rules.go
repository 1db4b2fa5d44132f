package bus

import "linli/devices"

// RuleView is a rule as its file has it, for people to look at.
type RuleView struct {
	ID       string            `json:"id"`
	Name     devices.Text      `json:"name"`
	Text     devices.Text      `json:"text,omitzero"`
	Kind     string            `json:"kind"`
	Severity Severity          `json:"severity"`
	Category string            `json:"category"`
	Safety   bool              `json:"safety,omitempty"`
	Latched  bool              `json:"latched,omitempty"`
	Types    []string          `json:"types"`
	Origin   string            `json:"origin"` // type: with its device type; common: of every type; site: of a rules directory
	Where    string            `json:"where"`  // file:line
	Basis    string            `json:"basis"`
	Source   string            `json:"source,omitempty"`
	Note     string            `json:"note,omitempty"`
	Params   map[string]string `json:"params"`
	Signals  []RuleSignal      `json:"signals,omitempty"`
	Settable []string          `json:"settable"` // what a form may offer to change
}

// RuleSignal is a name that the conditions of a rule use for a quantity.
type RuleSignal struct {
	Name   string `json:"name"`
	Field  string `json:"field,omitempty"`
	Type   string `json:"type,omitempty"` // of other devices; empty: the rule's own
	Event  string `json:"event,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Fn     string `json:"fn,omitempty"`
	Window string `json:"window,omitempty"`
	Same   string `json:"same,omitempty"` // what the devices have in common
}

// RuleInForce says of one rule whether it is in force for a device, with what parameters and from where.
type RuleInForce struct {
	Rule      string            `json:"rule"`
	Name      devices.Text      `json:"name"`
	Kind      string            `json:"kind"`
	Severity  Severity          `json:"severity"`
	Safety    bool              `json:"safety,omitempty"`
	InForce   bool              `json:"in_force"`
	Why       string            `json:"why,omitempty"` // it is not in force
	Params    map[string]string `json:"params"`
	Where     string            `json:"where"` // file:line of the rule
	Overrides []RuleOverride    `json:"overrides,omitempty"`
}

// RuleOverride is what a site says of rules for some devices. Of those for a device the most specific one holds, and of two alike
// the later.
type RuleOverride struct {
	Rules     []string          `json:"rules,omitempty"`
	Level     string            `json:"level"` // device, group, community or type
	Device    string            `json:"device,omitempty"`
	Group     map[string]string `json:"group,omitempty"` // registry tags and places
	Community string            `json:"community,omitempty"`
	Type      string            `json:"type,omitempty"`
	Set       map[string]string `json:"set,omitempty"`
	Where     string            `json:"where"`              // file:line, or "settings", the name of the document and the line
	Document  string            `json:"document,omitempty"` // of the settings; empty: of a file
	Reason    string            `json:"reason"`
	Disable   bool              `json:"disable,omitempty"`
	Holds     bool              `json:"holds"` // for the device that was asked about
}
