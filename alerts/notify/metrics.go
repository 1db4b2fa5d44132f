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

func newMetrics(reg prometheus.Registerer, n *Notify) *metrics {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_notify_deliveries_total", Help: "Deliveries accepted by their channel, tried again, and how they ended.",
		}, []string{"channel", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "linli_notify_delivery_seconds", Help: "From the making of a delivery to its end.",
			Buckets: []float64{.005, .01, .05, .1, .5, 1, 5, 30, 120, 600},
		}, []string{"result"}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linli_notify_unreadable_total", Help: "Alert events and deliveries that could not be read.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.deliveries, m.seconds, m.unreadable, quotas{n}, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "linli_notify_pending", Help: "Deliveries that wait or are being sent.",
		}, n.pending))
	}
	return m
}

func (m *metrics) done(d *delivery, result string) {
	m.deliveries.WithLabelValues(d.Channel, result).Inc()
	m.seconds.WithLabelValues(result).Observe(time.Since(d.Created).Seconds())
}

// quotas shows what the governor allows, when it is asked for.
type quotas struct{ n *Notify }

var (
	quotaLeft = prometheus.NewDesc("linli_notify_quota_left", "Messages that the provider's quota still takes now.",
		[]string{"channel", "lane"}, nil)
	mutedFor = prometheus.NewDesc("linli_notify_muted_seconds", "For how long the provider takes nothing, because it got too much.",
		[]string{"channel"}, nil)
)

// Describe implements prometheus.Collector.
func (quotas) Describe(to chan<- *prometheus.Desc) {
	to <- quotaLeft
	to <- mutedFor
}

// Collect implements prometheus.Collector.
func (q quotas) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	for channel := range q.n.cfg.Channels {
		quota := q.n.governor.quota(channel, now)
		if quota.limited {
			to <- prometheus.MustNewConstMetric(quotaLeft, prometheus.GaugeValue, float64(quota.ordinary), channel, "ordinary")
			to <- prometheus.MustNewConstMetric(quotaLeft, prometheus.GaugeValue, float64(quota.safety), channel, "safety")
		}
		to <- prometheus.MustNewConstMetric(mutedFor, prometheus.GaugeValue, max(quota.muted.Sub(now).Seconds(), 0), channel)
	}
}
