package alerts

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	lag         *prometheus.GaugeVec
	judged      *prometheus.CounterVec
	unreadable  *prometheus.CounterVec
	transitions *prometheus.CounterVec
	alerts      *prometheus.GaugeVec
	cells       prometheus.Gauge
	commits     prometheus.Histogram
	steps       prometheus.Histogram
	checkpoint  prometheus.Gauge
	reloads     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "linli_alerts_lag_messages", Help: "Messages of a stream that are not judged yet.",
		}, []string{"stream"}),
		judged: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_alerts_messages_total", Help: "Messages judged.",
		}, []string{"stream"}),
		unreadable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_alerts_unreadable_total", Help: "Messages or lines that could not be read and were passed over.",
		}, []string{"stream"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_alerts_transitions_total", Help: "What happened to alerts.",
		}, []string{"kind", "severity"}),
		alerts: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "linli_alerts_open", Help: "Alerts that are not closed.",
		}, []string{"state"}),
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linli_alerts_rule_changes_total", Help: "Times that the rules were changed while they were in force.",
		}),
		cells: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "linli_alerts_series", Help: "Series with rules that are kept in memory.",
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linli_alerts_commit_seconds", Help: "Time to store one transaction.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		steps: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linli_alerts_step_late_seconds", Help: "How long after its time a step of a ladder is stored.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 14),
		}),
		checkpoint: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "linli_alerts_checkpoint_bytes", Help: "Size of the last checkpoint.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.lag, m.judged, m.unreadable, m.transitions, m.alerts, m.cells, m.commits, m.steps, m.checkpoint, m.reloads)
	}
	return m
}
