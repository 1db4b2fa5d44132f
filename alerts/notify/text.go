package notify

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"linli/bus"
	"linli/devices"
)

// zone is the time of day that texts are written in: that of the communities.
var zone = time.FixedZone("CST", 8*60*60)

// words are what texts are made of, by language.
type words struct {
	severity map[bus.Severity]string
	event    map[string]string
	at, late string
	by, ack  string
	again    string
	repeat   string
	colon    string
	more     string            // with how many
	notes    map[string]string // of alerts, in words for people
}

var (
	chinese = words{
		severity: map[bus.Severity]string{
			bus.Critical: "紧急", bus.High: "重要", bus.Medium: "一般", bus.Low: "提示", bus.Informational: "通知",
		},
		event: map[string]string{
			"cleared": "已恢复", "closed": "已处理完毕", "acknowledged": "已有人响应", "unanswered": "无人响应", "reopened": "再次打开",
			"repeated": "再次触发", "unacknowledged": "无人跟进", "family_acknowledged": "家属已响应", "declined": "有人无法前往", "reminded": "请确认进展",
			"flapping": "反复触发", "raised": "等级升高", "corroborated": "另一设备证实",
		},
		at: "时间", late: "（补报）", by: "处理人", ack: "查看并确认", again: "再次提醒", repeat: "（可能重复）", colon: "：", more: "另有 %d 条",
		notes: map[string]string{"rule retired": "该规则已取消，不再监测", "rule changed": "该规则已更改，不再监测此设备"},
	}
	english = words{
		severity: map[bus.Severity]string{
			bus.Critical: "CRITICAL", bus.High: "High", bus.Medium: "Medium", bus.Low: "Low", bus.Informational: "Info",
		},
		event: map[string]string{
			"cleared": "cleared", "closed": "closed", "acknowledged": "acknowledged", "unanswered": "NOBODY ANSWERS", "reopened": "reopened",
			"repeated": "again", "unacknowledged": "not followed up", "family_acknowledged": "acknowledged by the family", "declined": "somebody cannot go",
			"reminded": "how does it go?", "flapping": "again and again", "raised": "now more severe", "corroborated": "confirmed by another device",
		},
		at: "Time", late: " (reported late)", by: "By", ack: "View and acknowledge", again: "reminder", repeat: "(possibly a repeat) ", colon: ": ", more: "and %d more",
		notes: map[string]string{"rule retired": "Its rule was removed: it is watched no more", "rule changed": "Its rule was changed: this device is watched by it no more"},
	}
)

// languages are the words for a recipient: of one language, or of both.
func languages(language string) []*words {
	switch language {
	case "zh":
		return []*words{&chinese}
	case "en":
		return []*words{&english}
	}
	return []*words{&chinese, &english}
}

// in is the text in the language of w, or in the other one where that is missing.
func (w *words) in(t devices.Text) string {
	if w == &english && t.EN != "" || t.ZH == "" {
		return t.EN
	}
	return t.ZH
}

// compose makes the title and the text for a person.
func compose(b *body) (title, text string) {
	var titles, texts []string
	for _, w := range languages(b.Language) {
		titles = append(titles, w.title(b))
		texts = append(texts, w.text(b))
	}
	return strings.Join(titles, " / "), strings.Join(texts, "\n\n")
}

func (w *words) title(b *body) string {
	title := "[" + w.severity[b.Alert.Severity] + "] " + w.in(b.Alert.Name)
	if what := w.event[b.Event]; what != "" {
		title += " · " + what
	}
	if b.Round > 0 && call(b.Event) {
		title += " · " + w.again
	}
	return title
}

func (w *words) text(b *body) string {
	a := &b.Alert
	lines := []string{w.in(a.Text)}
	if call(b.Event) {
		at := w.at + w.colon + a.EventTime.In(zone).Format("01-02 15:04")
		if a.EventTime.Before(a.Received.Add(-time.Minute)) {
			at += w.late
		}
		lines = append(lines, at)
		if help := w.in(a.Instructions); help != "" {
			lines = append(lines, help)
		}
	} else if b.By != "" {
		lines = append(lines, w.by+w.colon+b.By)
	}
	if note := w.note(b); note != "" {
		lines = append(lines, note)
	}
	return strings.Join(lines, "\n")
}

// written are the events with a note that a person wrote. The others are from alerts, for who reads the history.
var written = []string{"assigned", "closed", "reopened"}

// note is what stands in a message of the note of its event: what a person wrote as they did, and of what alerts notes that for which
// there are words in the recipient's language.
func (w *words) note(b *body) string {
	if own, ok := w.notes[b.Note]; ok || b.By == "" || b.Note == cleared || !slices.Contains(written, b.Event) {
		return own
	}
	return b.Note
}

// cleared is what alerts notes when a person takes on what is over.
const cleared = "acknowledged and cleared"

// said is a message as one text of at most limit bytes: title, text and link. What is cut is the text.
func (m *Message) said(limit int) string {
	link := ""
	if m.Link != "" {
		link = "\n" + m.ackWord() + ": " + m.Link
	}
	return cut(m.Title+"\n"+m.Text, limit-len(link)) + link
}

// ackWord is what stands on the button that acknowledges.
func (m *Message) ackWord() string {
	var all []string
	for _, w := range languages(m.Language) {
		all = append(all, w.ack)
	}
	return strings.Join(all, " / ")
}

// labelled says in the text that it may be a repeat.
func (m *Message) labelled() {
	var label string
	for _, w := range languages(m.Language) {
		label += w.repeat
	}
	m.Title = label + m.Title
}

// cut shortens a text to so many bytes, between runes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const dots = "…"
	limit = max(limit-len(dots), 0)
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + dots
}

// cutRunes shortens a text to so many characters.
func cutRunes(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit-1]) + "…"
}
