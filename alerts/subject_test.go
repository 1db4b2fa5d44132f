package alerts

import (
	"testing"

	"linli/devices"
)

func TestADeviceNamedForItsWearerIsNamedOnce(t *testing.T) {
	for name, want := range map[string]devices.Text{
		"一号探头":    {ZH: "第四社区 12栋 一号探头 马奶奶：求救", EN: "SOS at Fourth Community, Bldg 12, 一号探头, 马奶奶"},
		"马奶奶的手环":  {ZH: "第四社区 12栋 马奶奶的手环：求救", EN: "SOS at Fourth Community, Bldg 12, 马奶奶的手环"},
		"手环（马奶奶）": {ZH: "第四社区 12栋 手环（马奶奶）：求救", EN: "SOS at Fourth Community, Bldg 12, 手环（马奶奶）"},
	} {
		w := newWorld(t)
		w.people.devices["p1"].Name = name
		w.say("p1 0s!sos")
		if got := w.last().Text; got != want {
			t.Errorf("alert of %s says %q, want %q", name, got, want)
		}
	}
}

func TestAWearersNameWithinAnotherIsNotTheWearers(t *testing.T) {
	for _, x := range []struct {
		device, wearer string
		want           bool
	}{
		{"Ann's band", "Ann", true},
		{"band of Ann", "Ann", true},
		{"Joanna's band", "anna", false},
		{"Annex band", "Ann", false},
		{"手环-Ann", "Ann", true},
	} {
		if got := names(x.device, x.wearer); got != x.want {
			t.Errorf("%q names %q: %v, want %v", x.device, x.wearer, got, x.want)
		}
	}
}

func TestQuantitiesAreWrittenAsPeopleDo(t *testing.T) {
	for _, x := range []struct {
		v      float64
		unit   string
		zh, en string
	}{
		{60.25, "Cel", "60.25 °C", "60.25 °C"},
		{96, "%", "96%", "96%"},
		{3, "{presses}", "3", "3"},
		{119, "s", "119 秒", "119 s"},
		{420, "s", "7 分钟", "7 min"},
		{-430, "s", "-7.2 分钟", "-7.2 min"},
		{28_380, "s", "7.9 小时", "7.9 h"},
		{9.5, "K", "9.5 °C", "9.5 °C"},
		{1.5, "{CNY}", "1.5 元", "1.5 CNY"},
		{0.0125, "m3", "0.013 m³", "0.013 m³"},
	} {
		n, zh, en := quantity(x.v, x.unit)
		if n+zh != x.zh || n+en != x.en {
			t.Errorf("%v %s: %q and %q, want %q and %q", x.v, x.unit, n+zh, n+en, x.zh, x.en)
		}
	}
}
