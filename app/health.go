package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
)

// healthPeriod is how often the states of the roles are looked at for the log.
const healthPeriod = 5 * time.Second

// watchHealth logs what changes in the states of the roles, and counts it, until ctx ends. That a role has not begun yet at the first
// look is no news.
func (a *App) watchHealth(ctx context.Context) error {
	state := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "linli_app_role_state", Help: "0: the role keeps its promise, 1: it does, but a person should look, 2: it does not.",
	}, []string{"role"})
	if err := a.reg.Register(state); err != nil {
		return err
	}
	said := map[string]string{}
	tick := time.NewTicker(healthPeriod)
	defer tick.Stop()
	for first := true; ; first = false {
		for role, err := range a.Status() {
			text, level := "", 0.0
			if err != nil {
				text, level = err.Error(), 1
			}
			if bus.Broken(err) {
				level = 2
			}
			state.WithLabelValues(role).Set(level)
			if text == said[role] || first {
				continue
			}
			said[role] = text
			if text == "" {
				a.log.Info("role is all right again", "role", role)
			} else {
				a.log.Warn("role is not all right", "role", role, "promise_kept", level < 2, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
