package bus

import "linli/devices"

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

// RuleOverride is what a site says of a rule for a device. The most specific one holds, and of two alike the later.
type RuleOverride struct {
	Level   string `json:"level"` // device, group, community or type
	Where   string `json:"where"` // file:line, or "settings" and the name of the document
	Reason  string `json:"reason"`
	Disable bool   `json:"disable,omitempty"`
	Holds   bool   `json:"holds"`
}
