package simulate

import (
	"math"
	"time"

	"linli/seeds"
)

// site is what the devices of one community share.
type site struct {
	key     key
	lat     float64
	lon     float64
	climate seeds.Climate
	ground  [][2]float64 // where one goes for a walk, in degrees
}

// weather are the quantities a field may follow.
var weather = map[string]func(*site, moment) float64{
	"temperature": (*site).temperature,
	"rain":        (*site).rain,
	"wind":        (*site).wind,
	"humidity":    (*site).humidity,
	"irradiance":  (*site).irradiance,
	"pm25":        (*site).pm25,
}

// monthly reads a yearly course given by the middle of each month.
func monthly(values *[12]float64, t moment) float64 {
	x := yearPart(t)*12 - 0.5
	n := math.Floor(x)
	w := x - n
	i := (int(n) + 12) % 12
	return (1-w)*values[i] + w*values[(i+1)%12]
}

// temperature of the air, Cel.
func (s *site) temperature(t moment) float64 {
	swing := s.climate.Swing * (0.4 + 0.6*s.clearness(t)) / 2
	return monthly(&s.climate.Temperature, t) + swing*math.Cos((t.hour()-15)/12*math.Pi) + 2.2*clamp(s.key.named("temperature").wave(t, 60*time.Hour), -1.5, 1.5)
}

// clearness of the sky, from 0.15 under thick cloud to 1.
func (s *site) clearness(t moment) float64 {
	x := 0.8 + 1.2*s.key.named("cloud").wave(t, 7*time.Hour)
	clear := 0.15 + 0.85/(1+math.Exp(-2*x))
	if s.rain(t) > 0 {
		clear *= 0.4
	}
	return clear
}

// irradiance on flat ground, W/m2.
func (s *site) irradiance(t moment) float64 {
	sun := elevation(t, s.lat, s.lon)
	if sun <= 0 {
		return 0
	}
	return 1050 * math.Pow(sun, 1.15) * s.clearness(t)
}

// rain is the rate in mm/h. Showers stay below what counts as heavy rain: a storm is a scenario.
func (s *site) rain(t moment) float64 {
	rate := 0.0
	today := t.day()
	for day := today - 1; day <= today; day++ {
		k := s.key.named("rain").at(day)
		if !k.at(0).chance(monthly(&s.climate.RainDays, midnight(day)) / 30) {
			continue
		}
		for n := range 1 + int64(k.at(1).uniform()*3) {
			shower := k.at(10 + n)
			length := shower.at(1).between(0.5, 3)
			x := float64(t-clock(day, shower.at(2).between(0, 24))) / (60 * 60 * 1000) / length
			if x > 0 && x < 1 {
				rate += shower.at(3).between(0.5, 5) * math.Sin(math.Pi*x)
			}
		}
	}
	return rate
}

// wind speed, m/s.
func (s *site) wind(t moment) float64 {
	day := 0.75 + 0.35*math.Max(0, math.Sin((t.hour()-7)/14*math.Pi))
	return math.Min(14, s.climate.Wind*day*math.Exp(0.4*s.key.named("wind").wave(t, 3*time.Hour)))
}

// humidity of the air, %.
func (s *site) humidity(t moment) float64 {
	h := s.climate.Humidity - 10*math.Cos((t.hour()-15)/12*math.Pi) + 6*s.key.named("humidity").wave(t, 20*time.Hour)
	if s.rain(t) > 0 {
		h += 15
	}
	return math.Max(12, math.Min(98, h))
}

// pm25 in ug/m3, more in winter and in the morning.
func (s *site) pm25(t moment) float64 {
	season := 1 + 0.35*math.Cos(2*math.Pi*yearPart(t))
	morning := 1 + 0.15*math.Exp(-math.Pow(t.hour()-8, 2)/4)
	return math.Min(140, s.climate.PM25*season*morning*math.Exp(0.35*s.key.named("pm25").wave(t, 18*time.Hour)))
}
