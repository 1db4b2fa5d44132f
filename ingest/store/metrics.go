package store

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	lines   *prometheus.CounterVec
	retries prometheus.Counter
	seconds prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		lines: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_store_lines_total", Help: "Lines that the time series has taken, and lines that it never will.",
		}, []string{"result"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linli_store_retries_total", Help: "Writes that are tried again.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linli_store_write_seconds", Help: "Duration of one write.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 30},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.lines, m.retries, m.seconds)
	}
	return m
}
