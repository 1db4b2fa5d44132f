package simulate

import (
	"math"
	"time"
)

// zone is the local time of all sites.
var zone = time.FixedZone("UTC+8", 8*60*60)

const (
	dayLength = 24 * 60 * 60 * 1000 // ms
	zoneShift = 8 * 60 * 60 * 1000
)

// moment is a time in milliseconds since 1970.
type moment int64

func momentOf(t time.Time) moment { return moment(t.UnixMilli()) }

func (t moment) time() time.Time { return time.UnixMilli(int64(t)).In(zone) }

func (t moment) add(d time.Duration) moment { return t + moment(d.Milliseconds()) }

// day numbers the local days; day 0 is 1970-01-01.
func (t moment) day() int64 { return floorDiv(int64(t)+zoneShift, dayLength) }

// hour is the local time of day, in [0, 24).
func (t moment) hour() float64 {
	return float64(int64(t)+zoneShift-t.day()*dayLength) / (60 * 60 * 1000)
}

// midnight is when a local day begins.
func midnight(day int64) moment { return moment(day*dayLength - zoneShift) }

// clock is a time of day of a local day.
func clock(day int64, hour float64) moment { return midnight(day) + moment(hour*60*60*1000) }

// workday is false on weekends and on the public holidays of fixed date. Holidays by the lunar calendar are left out.
func workday(day int64) bool {
	at := midnight(day).time()
	if weekday := at.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		return false
	}
	_, month, date := at.Date()
	switch month {
	case time.January:
		return date > 1
	case time.May:
		return date > 5
	case time.October:
		return date > 7
	}
	return true
}

// yearPart is how much of the year has passed, in [0, 1).
func yearPart(t moment) float64 {
	return float64(t.time().YearDay()-1)/366 + t.hour()/24/366
}

// elevation is the sine of the sun's height over the horizon.
func elevation(t moment, lat, lon float64) float64 {
	declination := -23.44 * math.Pi / 180 * math.Cos(2*math.Pi*(yearPart(t)+10.0/366))
	angle := (t.hour() - 8 + lon/15 - 12) * 15 * math.Pi / 180
	phi := lat * math.Pi / 180
	return math.Sin(phi)*math.Sin(declination) + math.Cos(phi)*math.Cos(declination)*math.Cos(angle)
}
