package notify

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	deliveries *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	unreadable prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, pending func() float64) *metrics {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_notify_deliveries_total", Help: "Deliveries accepted by their channel, tried again, and failed for good.",
		}, []string{"channel", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "linli_notify_delivery_seconds", Help: "From the making of a delivery to its end.",
			Buckets: []float64{.005, .01, .05, .1, .5, 1, 5, 30, 120, 600},
		}, []string{"result"}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linli_notify_unreadable_events_total", Help: "Alert events that could not be read.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.deliveries, m.seconds, m.unreadable, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "linli_notify_pending", Help: "Deliveries that wait or are being sent.",
		}, pending))
	}
	return m
}

func (m *metrics) done(d *delivery, result string) {
	m.deliveries.WithLabelValues(d.Channel, result).Inc()
	m.seconds.WithLabelValues(result).Observe(time.Since(d.Created).Seconds())
}
