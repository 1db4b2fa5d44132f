package web

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	streams  prometheus.Gauge
	dropped  prometheus.Counter
	logins   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "linli_web_requests_total", Help: "Requests by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "linli_web_request_seconds", Help: "Time from request to answer.", Buckets: []float64{.002, .01, .05, .2, 1, 5, 30},
		}, []string{"route"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "linli_web_streams", Help: "Clients of the live stream."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linli_web_streams_dropped_total", Help: "Clients disconnected because they did not keep up.",
		}),
	}
	m.logins = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "linli_web_logins_total", Help: "Logins by outcome."}, []string{"outcome"})
	reg.MustRegister(m.requests, m.seconds, m.streams, m.dropped, m.logins)
	return m
}

func (m *metrics) request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
