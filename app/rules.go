package app

import (
	"maps"
	"sync"

	"linli/alerts"
	"linli/bus"
	"linli/devices"
)

// ruleBook answers what web asks about rules. Rules with settings are made when the settings differ from the last ones.
type ruleBook struct {
	files *alerts.Rules
	dir   directory

	mu    sync.Mutex // guards the rest
	said  map[string][]byte
	rules *alerts.Rules
}

// Why says of every rule of a device's type whether it is in force.
func (b *ruleBook) Why(d *devices.Device, settings map[string][]byte) ([]bus.RuleInForce, error) {
	rules, err := b.with(settings)
	if err != nil {
		return nil, err
	}
	return rules.Why(d, b.dir), nil
}

// Check returns what is wrong with settings.
func (b *ruleBook) Check(settings map[string][]byte) error {
	_, err := b.with(settings)
	return err
}

// List shows every rule and every override.
func (b *ruleBook) List(settings map[string][]byte) ([]bus.RuleView, []bus.RuleOverride, error) {
	rules, err := b.with(settings)
	if err != nil {
		return nil, nil, err
	}
	return rules.Describe(), rules.Overrides(), nil
}

// Plans are the ladders of the rules; settings change none.
func (b *ruleBook) Plans() []*bus.Escalation { return b.files.Plans() }

func (b *ruleBook) with(settings map[string][]byte) (*alerts.Rules, error) {
	if len(settings) == 0 {
		return b.files, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	same := maps.EqualFunc(b.said, settings, func(x, y []byte) bool { return string(x) == string(y) })
	if same && b.rules != nil {
		return b.rules, nil
	}
	rules, err := b.files.With(settings)
	if err != nil {
		return nil, err
	}
	b.said, b.rules = settings, rules
	return rules, nil
}
