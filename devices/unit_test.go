package devices

import "testing"

func TestCheckUnit(t *testing.T) {
	for _, unit := range []string{
		"1", "%", "Cel", "kW.h", "W.h", "kW.h/m2", "ug/m3", "mg/m3", "m3/h", "L/h", "mm[Hg]", "dB[SPL]", "dB{1mW}", "dB/m", "%{LEL}",
		"{NTU}", "{beats}/min", "/min", "[ppm]", "V.A", "kOhm", "kbit/s", "hPa", "MPa", "d", "min", "deg", "lx", "mA", "W/m2", "m/s2", "s-1", "10.L",
	} {
		if err := CheckUnit(unit); err != nil {
			t.Errorf("%q: %v", unit, err)
		}
	}
	for unit, want := range map[string]string{
		"":        `no unit; write "1" for a dimensionless number`,
		"°C":      `unknown unit "°C": "°C" is no UCUM atom of the table in unit.go`,
		"kWh":     `unknown unit "kWh": "kWh" is no UCUM atom of the table in unit.go`,
		"kmin":    `unknown unit "kmin": "kmin" is no UCUM atom of the table in unit.go`,
		"m/":      `unknown unit "m/": a part is empty`,
		"/":       `unknown unit "/": a part is empty`,
		"m//s":    `unknown unit "m//s": a part is empty`,
		"{a b}":   `unknown unit "{a b}": "{a b}" has a broken annotation`,
		"m{":      `unknown unit "m{": "m{" has a broken annotation`,
		"{}":      `unknown unit "{}": "{}" has a broken annotation`,
		"m-":      `unknown unit "m-": "m-" is no UCUM atom of the table in unit.go`,
		"-":       `unknown unit "-": "-" is no UCUM atom of the table in unit.go`,
		"persons": `unknown unit "persons": "persons" is no UCUM atom of the table in unit.go`,
	} {
		if err := CheckUnit(unit); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", unit, err, want)
		}
	}
}
