package notify

import (
	"strings"
	"testing"

	"linli/bus"
	"linli/devices"
)

// What a person noted is passed on as they wrote it; what alerts notes for the history is not, but for what has words of the language.
func TestNotesInMessages(t *testing.T) {
	for name, c := range map[string]struct{ event, by, note, zh, en string }{
		"of a person":            {"closed", "陈师傅", "已送医院", "已送医院", "已送医院"},
		"to who is to go":        {"assigned", "陈师傅", "带上钥匙", "带上钥匙", "带上钥匙"},
		"of what was over":       {"closed", "陈师傅", "acknowledged and cleared", "", ""},
		"how it was answered":    {"declined", "王芳", "by link", "", ""},
		"of alerts":              {"unacknowledged", "", "陈师傅 gave no sign", "", ""},
		"of a hold that is over": {"confirmed", "", "no longer silenced", "", ""},
		"of a rule that is gone": {"closed", "", "rule retired", "该规则已取消，不再监测", "Its rule was removed: it is watched no more"},
	} {
		for language, want := range map[string]string{"zh": c.zh, "en": c.en} {
			b := body{Event: c.event, By: c.by, Note: c.note, Language: language, Alert: bus.Alert{Text: devices.Text{ZH: "文", EN: "text"}}}
			_, text := compose(&b)
			if last := text[strings.LastIndex(text, "\n")+1:]; want != "" && last != want {
				t.Errorf("%s in %s: %q, want %q at the end", name, language, text, want)
			}
			if want == "" && strings.Contains(text, c.note) {
				t.Errorf("%s in %s: %q has the note", name, language, text)
			}
		}
	}
}
