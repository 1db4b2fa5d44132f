package ingest

import (
	"github.com/prometheus/client_golang/prometheus"

	"linli/devices"
)

type metrics struct {
	messages, readings, events, rejects, commands *prometheus.CounterVec
	unknown, lost, sessionsLost                   prometheus.Counter
	stored                                        prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "linli_ingest_" + name, Help: help}, []string{label})
	}
	one := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "linli_ingest_" + name, Help: help})
	}
	m := &metrics{
		messages:     vec("messages_total", "Messages whose fate is settled, before they are acknowledged.", "result"),
		readings:     vec("readings_total", "Readings of accepted messages.", "result"),
		events:       vec("events_total", "Events, states and replies of accepted messages.", "result"),
		rejects:      vec("rejects_total", "Entries in the reject list.", "code"),
		commands:     vec("commands_total", "States that commands to devices came to.", "state"),
		unknown:      one("unknown_fields_total", "Fields of accepted messages that the device's type does not have."),
		lost:         one("connections_lost_total", "Connections to the broker that ended without our doing."),
		sessionsLost: one("sessions_lost_total", "Times the broker had forgotten our session and with it what was queued."),
		stored: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linli_ingest_store_seconds", Help: "Time from reading a batch off the broker's connection until it is stored on the bus.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
		}),
	}
	reg.MustRegister(m.messages, m.readings, m.events, m.rejects, m.commands, m.unknown, m.lost, m.sessionsLost, m.stored)
	return m
}

// counts is what a shipment has settled. Each message is one of accepted and rejected; each reading of an accepted one is one of
// stored, duplicate and rejected.
type counts struct {
	accepted, rejected, unknown int
	readings, events            tally
	codes                       map[devices.Code]int
}

type tally struct{ stored, duplicate, rejected int }

func (m *metrics) add(c *counts) {
	c.readings.add(m.readings)
	c.events.add(m.events)
	for code, n := range c.codes {
		count(m.rejects, string(code), n)
	}
	m.unknown.Add(float64(c.unknown))
	// Last: whoever sees a message counted finds its parts counted too.
	count(m.messages, "accepted", c.accepted)
	count(m.messages, "rejected", c.rejected)
}

func (t tally) add(to *prometheus.CounterVec) {
	count(to, "stored", t.stored)
	count(to, "duplicate", t.duplicate)
	count(to, "rejected", t.rejected)
}

func count(v *prometheus.CounterVec, label string, n int) {
	if n > 0 {
		v.WithLabelValues(label).Add(float64(n))
	}
}
