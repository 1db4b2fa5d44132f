package web

import (
	_ "embed"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Problems are English in the code, as logs and programs have them. Who asks for Chinese, as the pages do, is answered by
// chinese.yaml: the text is matched with the formats of the code, whichever package has made it, and what fills the holes is put
// into the Chinese one, itself translated where it can be. What is matched by none, such as the parser's word on an expression, stays
// as it is.

//go:embed chinese.yaml
var chineseFile []byte

// phrase is one format and what it is in Chinese.
type phrase struct {
	pattern *regexp.Regexp
	zh      string
	weight  int // letters outside the holes: of two that match the one that says more holds
}

type phrasebook struct {
	phrases []phrase
	exact   map[string]string
	fields  map[string]string
}

// chinese is what problems say, and rejections why something that a device has sent was not stored.
var (
	chinese    = sync.OnceValue(func() *phrasebook { return book("reasons") })
	rejections = sync.OnceValue(func() *phrasebook { return book("rejects") })
)

// book reads one part of chinese.yaml.
func book(part string) *phrasebook {
	var file map[string]map[string]string
	if err := yaml.Unmarshal(chineseFile, &file); err != nil {
		panic(err) // the file is part of the program
	}
	b := &phrasebook{exact: map[string]string{}, fields: file["fields"]}
	for format, zh := range file[part] {
		if !hole.MatchString(format) {
			b.exact[format] = zh
			continue
		}
		b.phrases = append(b.phrases, phrase{holes(format), zh, len(hole.ReplaceAllString(format, ""))})
	}
	return b
}

var (
	hole     = regexp.MustCompile(`%[-.\d]*[sqdvwg]`)
	filler   = regexp.MustCompile(`\{(\d)\}`)
	record   = regexp.MustCompile(`(?s)^([a-z_., ]+) ("(?:[^"\\]|\\.)*") (.+)$`)          // as devices.InvalidError says it
	labelled = regexp.MustCompile(`(?s)^(set\.\w+ \w+|settings [\w.:-]+|[\w.-]+): (.+)$`) // as invalid says it
	spaced   = strings.NewReplacer(" “", "“", "” ", "”")
)

// holes matches what a format may have become.
func holes(format string) *regexp.Regexp {
	var b strings.Builder
	at := 0
	for _, h := range hole.FindAllStringIndex(format, -1) {
		b.WriteString(regexp.QuoteMeta(format[at:h[0]]))
		switch format[h[1]-1] {
		case 'q':
			b.WriteString(`("(?:[^"\\]|\\.)*")`)
		case 'd':
			b.WriteString(`(-?\d+)`)
		default:
			b.WriteString(`(.+?)`)
		}
		at = h[1]
	}
	b.WriteString(regexp.QuoteMeta(format[at:]))
	return regexp.MustCompile(`(?s)^` + b.String() + `$`)
}

// say is a text in Chinese; known is false if nothing says how.
func (b *phrasebook) say(text string) (zh string, known bool) {
	if zh, ok := b.exact[text]; ok {
		return zh, true
	}
	var best *phrase
	var parts []string
	for i := range b.phrases {
		p := &b.phrases[i]
		if best != nil && p.weight <= best.weight {
			continue
		}
		if m := p.pattern.FindStringSubmatch(text); m != nil {
			best, parts = p, m
		}
	}
	if best == nil {
		return text, false
	}
	return spaced.Replace(filler.ReplaceAllStringFunc(best.zh, func(n string) string {
		i, _ := strconv.Atoi(n[1 : len(n)-1]) // matched as a digit
		return b.part(parts[i])
	})), true
}

// part is what filled a hole: a word or a text of its own where it is one, and quoted as Chinese is.
func (b *phrasebook) part(s string) string {
	if word, err := strconv.Unquote(s); err == nil {
		return "“" + word + "”"
	}
	if zh := b.field(s); zh != s {
		return zh
	}
	return b.line(s)
}

// field is the name of a part of a request; set.crit when is that of a level.
func (b *phrasebook) field(name string) string {
	if zh, ok := b.fields[name]; ok {
		return zh
	}
	if level, of, ok := strings.Cut(strings.TrimPrefix(name, "set."), " "); ok && b.fields["set."+of] != "" {
		return level + " " + b.fields["set."+of]
	}
	return name
}

// problem is what a problem says.
func (b *phrasebook) problem(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = b.line(line)
	}
	return strings.Join(lines, "\n")
}

// line is one mistake: a sentence, or a part of the request and what is wrong with it.
func (b *phrasebook) line(text string) string {
	if zh, known := b.say(text); known {
		return zh
	}
	if m := record.FindStringSubmatch(text); m != nil {
		zh, _ := b.say(m[3])
		value, err := strconv.Unquote(m[2])
		if err != nil || value == "" || strings.Trim(value, "*") == "" {
			return b.field(m[1]) + zh
		}
		return b.field(m[1]) + "“" + value + "”" + zh
	}
	if m := labelled.FindStringSubmatch(text); m != nil {
		return b.field(m[1]) + "：" + b.line(m[2])
	}
	return text
}

var (
	another = regexp.MustCompile(`; (reading \d+: )`)                                 // of the faults of a message, as ingest joins them
	fault   = regexp.MustCompile(`(?s)^reading (\d+): (?:([\w-]+) left out: )?(.+)$`) // of one of them
)

// faults are those that a reason joins.
func faults(reason string) []string {
	return strings.Split(another.ReplaceAllString(reason, "\x00$1"), "\x00")
}

// reject is why something that a device has sent was not stored.
func (b *phrasebook) reject(reason string) string {
	all := faults(reason)
	for i, text := range all {
		m := fault.FindStringSubmatch(text)
		if m == nil {
			all[i] = b.line(text)
			continue
		}
		n, _ := strconv.Atoi(m[1]) // matched as digits
		at := "第 " + strconv.Itoa(n+1) + " 条读数"
		if m[2] != "" {
			at += "未存项目 " + m[2]
		}
		all[i] = at + "：" + b.line(m[3])
	}
	return strings.Join(all, "；")
}

// inChinese reports whether who asks reads Chinese before English. Programs that do not say are answered in English.
func inChinese(r *http.Request) bool {
	for _, tag := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		switch tag = strings.ToLower(strings.TrimSpace(tag)); {
		case strings.HasPrefix(tag, "zh"):
			return true
		case strings.HasPrefix(tag, "en"):
			return false
		}
	}
	return false
}
