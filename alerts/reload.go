package alerts

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// loadSettings reads what the settings say of the rules, and takes that over.
func (e *Engine) loadSettings(ctx context.Context) error {
	kv, err := e.Bus.KV(ctx, bus.SettingsBucket)
	if err != nil {
		return err
	}
	w, err := kv.Watch(ctx, bus.RulesPrefix+"*", jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read rules of the settings: %w", err)
	}
	defer func() { _ = w.Stop() }()
	said := map[string][]byte{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry := <-w.Updates():
			if entry == nil {
				e.settings = said
				e.Rules = e.withSettings(said)
				return nil
			}
			said[strings.TrimPrefix(entry.Key(), bus.RulesPrefix)] = entry.Value()
		}
	}
}

// withSettings is the rules with what the settings say. A document that cannot be used is left out, and told of.
func (e *Engine) withSettings(said map[string][]byte) *Rules {
	if len(said) == 0 {
		return e.files
	}
	rules, err := e.files.With(said)
	if err == nil {
		return rules
	}
	good := map[string][]byte{}
	for name, data := range said {
		if _, err := e.files.With(map[string][]byte{name: data}); err != nil {
			e.Log.Error("rules of the settings are left out", "key", bus.RulesPrefix+name, "err", err)
			continue
		}
		good[name] = data
	}
	if rules, err = e.files.With(good); err != nil {
		e.Log.Error("rules of the settings are left out", "err", err)
		return e.files
	}
	return rules
}

// followSettings makes new rules whenever the settings say something else of them, and hands them to the loop, until ctx ends.
func (e *Engine) followSettings(ctx context.Context) error {
	said := maps.Clone(e.settings)
	return e.Bus.FollowSettings(ctx, bus.RulesPrefix+"*", func(_ jetstream.KeyValue, entry jetstream.KeyValueEntry) error {
		name := strings.TrimPrefix(entry.Key(), bus.RulesPrefix)
		if entry.Operation() == jetstream.KeyValuePut {
			said[name] = entry.Value()
		} else {
			delete(said, name)
		}
		if sameSettings(said, e.settings) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e.reloads <- e.withSettings(said):
			e.settings = maps.Clone(said)
			return nil
		}
	})
}

func sameSettings(a, b map[string][]byte) bool {
	return maps.EqualFunc(a, b, func(x, y []byte) bool { return string(x) == string(y) })
}

// reload goes on with other rules. It is a restart without one: what the cells know passes through a checkpoint.
func (e *Engine) reload(rules *Rules) error {
	began := time.Now()
	next, err := e.core.with(rules)
	if err != nil {
		return fmt.Errorf("take over rules: %w", err)
	}
	e.core, e.Rules = next, rules
	e.metrics.reloads.Inc()
	e.Log.Info("rules changed", "rules", len(rules.all), "took", time.Since(began))
	return nil
}

// with is the same core with other rules. Instances stay by the ids of their rules; what no rule feeds any more ends.
func (c *core) with(rules *Rules) (*core, error) {
	next := newCore(rules, c.dir)
	next.book, next.life, next.summary, next.clock = c.book, c.life, c.summary, c.clock
	next.book.govern(rules, moment(c.clock))
	next.lookouts.stored = c.lookouts.stored
	next.vigil.listening, next.vigil.began = c.vigil.listening, c.vigil.began
	for _, e := range next.book.episodes {
		e.rest()
	}
	for shard := range uint8(shards) {
		if err := next.unpack(c.pack(shard, func(*series) bool { return true })); err != nil {
			return nil, err
		}
		if err := next.unpackSteps(c.packSteps(shard)); err != nil {
			return nil, err
		}
		next.dirty[shard], next.stepped[shard], next.lookouts.moved[shard] = true, true, true
	}
	for _, s := range next.series {
		for i := len(s.cells) - 1; i >= 0; i-- {
			if cl := &s.cells[i]; cl.state != idle && !cl.applies {
				next.lower(s, s.bound(i), cl, subjectOf(s, s.bound(i), s.dev), next.clock)
			}
		}
	}
	next.retire()
	return next, nil
}

// retire ends the alerts of silence that nothing watches for any more.
func (c *core) retire() {
	for key, e := range c.book.episodes {
		if e.alert == nil || e.alert.Kind != string(AbsenceKind) {
			continue
		}
		if w := c.vigil.watches[key]; w == nil {
			c.book.close(e.alert, moment(max(c.clock, e.alert.OpenedAt.UnixMilli())), "", "rule retired")
		}
	}
}
