// Package series is the history of readings: what can be asked of it, and the InfluxDB that keeps it and answers.
//
// It knows measurements, fields, tags and time. It must not know streams, rules or HTTP routes. Every identifier of a statement
// has the form of an id and every value is a bound parameter, so text from outside never becomes part of a statement.
package series

import (
	"fmt"
	"time"

	"linli/devices"
)

const (
	// MaxPoints bounds the answer of one query.
	MaxPoints = 100_000
	// MaxDevices bounds the devices of one query for last values.
	MaxDevices = 1000
	// MinWidth is the narrowest window.
	MinWidth = time.Second
)

// Query names one field of one device over [From, To).
type Query struct {
	Measurement string
	Field       string
	Devices     []string          // the device and those whose place it took
	Split       []string          // payload tags of the type: each combination of their values is a series of its own
	Tags        map[string]string // only the series with these values of payload tags
	From, To    time.Time
}

// Fn makes one value out of the values of a window.
type Fn string

const (
	Mean Fn = "mean"
	Min  Fn = "min"
	Max  Fn = "max"
	Sum  Fn = "sum"
	Last Fn = "last"
	// Count is how many values there are.
	Count Fn = "count"
	// Increase is how far a counter went, including the step from the last value before the window. It survives resets
	// and rollovers, see Step, and the increases of neighbouring windows add up.
	Increase Fn = "increase"
)

// Window divides a query into windows of one width.
type Window struct {
	Width   time.Duration
	Fn      Fn
	Zone    *time.Location // windows begin at whole multiples of Width in this zone; nil: UTC
	Modulus float64        // of a counter under Increase; 0: it does not roll over
}

// Point is one value of one series. Time is exact to the millisecond; of a window it is the start. Value is a float64, bool or
// string. Tags are those of Query.Split that the series has.
type Point struct {
	Time  time.Time
	Value any
	Tags  map[string]string
}

// Group asks for the last values of several devices of one measurement.
type Group struct {
	Measurement string
	Fields      []string
	Split       []string
	Devices     []string
	Community   string    // if there are no Devices: all of a community; * for all of every community
	Since       time.Time // zero: however old
}

// Value is the last value of a field of one series of a device.
type Value struct {
	Device, Field string
	Point
}

// RefusedError says which part of a query is refused and why.
type RefusedError struct{ Part, Reason string }

func (e *RefusedError) Error() string { return e.Part + ": " + e.Reason }

func refuse(part, format string, a ...any) error {
	return &RefusedError{Part: part, Reason: fmt.Sprintf(format, a...)}
}

// Step is how far a counter went between two neighbouring values. A smaller value is a rollover if the counter went down by
// nearly its whole modulus (99 %), else a reset to zero. Judged wrongly, either costs less than 1 % of the modulus or
// counts what the counter shows.
func Step(before, after, modulus float64) float64 {
	switch {
	case after >= before:
		return after - before
	case before-after > 0.99*modulus && modulus > before:
		return modulus - before + after
	default:
		return after
	}
}

// start is where the window of t begins.
func (w Window) start(t time.Time) time.Time {
	_, offset := t.In(w.zone()).Zone()
	shift := time.Duration(offset) * time.Second
	local := t.Add(shift).UnixNano()
	begin := local - local%int64(w.Width)
	return time.Unix(0, begin).Add(-shift).UTC()
}

func (w Window) zone() *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}

func (w Window) validate(q Query) error {
	switch w.Fn {
	case Mean, Min, Max, Sum, Last, Count, Increase:
	default:
		return refuse("fn", "%q is none of mean, min, max, sum, last, count, increase", w.Fn)
	}
	if w.Width < MinWidth || w.Width%time.Millisecond != 0 {
		return refuse("window", "%s is not a number of milliseconds from %s", w.Width, MinWidth)
	}
	if n := q.To.Sub(q.From) / w.Width; n > MaxPoints {
		return refuse("window", "%d windows are more than %d: widen the window or shorten the span", n, MaxPoints)
	}
	return nil
}

func (q Query) validate() error {
	if err := validNames(append([]string{q.Measurement, q.Field}, q.Split...)); err != nil {
		return err
	}
	for tag := range q.Tags {
		if err := validNames([]string{tag}); err != nil {
			return err
		}
	}
	if len(q.Devices) == 0 {
		return refuse("device", "none given")
	}
	if !q.From.Before(q.To) {
		return refuse("from", "%s is not before %s", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	}
	if q.From.Year() < 1900 || q.To.Year() > 2200 {
		return refuse("from", "the span leaves the years 1900 to 2200")
	}
	return nil
}

// validNames refuses what is no measurement, field or tag of any catalogue.
func validNames(names []string) error {
	for _, n := range names {
		if !devices.ValidID(n) {
			return refuse("name", "%q is not an identifier", n)
		}
	}
	return nil
}
