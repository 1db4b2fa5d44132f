package devices

import (
	"errors"
)

// Line is one line of line protocol, as the Decoder writes it. Its slices point into the input and are reused by the next Parse.
type Line struct {
	Measurement  []byte
	Tags, Fields []Pair
	Time         int64 // ns since 1970
}

// Pair is a tag or field as it is written: escaped, a text field in its quotes.
type Pair struct{ Key, Value []byte }

var (
	errShort = errors.New("line ends early")
	errEmpty = errors.New("empty name or value")
	errTime  = errors.New("timestamp is no number")
)

// Parse reads the first line of b and returns what follows it. It does not allocate once the slices of l have grown.
func (l *Line) Parse(b []byte) (rest []byte, err error) {
	l.Tags, l.Fields, l.Time = l.Tags[:0], l.Fields[:0], 0
	i := wordEnd(b, 0, ", ")
	l.Measurement = b[:i]
	if i == 0 {
		return b, errEmpty
	}
	for i < len(b) && b[i] == ',' {
		var p Pair
		if p, i, err = pair(b, i+1); err != nil {
			return b, err
		}
		l.Tags = append(l.Tags, p)
	}
	for more := true; more; more = i < len(b) && b[i] == ',' {
		var p Pair
		if i >= len(b) {
			return b, errShort
		}
		if p, i, err = pair(b, i+1); err != nil {
			return b, err
		}
		l.Fields = append(l.Fields, p)
	}
	if i >= len(b) || b[i] != ' ' {
		return b, errShort
	}
	end := i + 1
	for end < len(b) && b[end] != '\n' {
		end++
	}
	if l.Time, err = parseInt(b[i+1 : end]); err != nil {
		return b, err
	}
	return b[min(end+1, len(b)):], nil
}

// pair reads key=value at i and returns where it ends.
func pair(b []byte, i int) (Pair, int, error) {
	eq := wordEnd(b, i, "=, ")
	if eq >= len(b) || b[eq] != '=' {
		return Pair{}, eq, errShort
	}
	end := eq + 1
	if end < len(b) && b[end] == '"' {
		for end++; end < len(b) && b[end] != '"'; end++ {
			if b[end] == '\\' {
				end++
			}
		}
		end = min(end+1, len(b))
	} else {
		end = wordEnd(b, end, ", ")
	}
	p := Pair{b[i:eq], b[eq+1 : end]}
	if len(p.Key) == 0 || len(p.Value) == 0 {
		return p, end, errEmpty
	}
	return p, end, nil
}

// marks are the bytes that may end a word. Most bytes do not.
var marks = [256]bool{'\n': true, '\\': true, ',': true, ' ': true, '=': true}

// wordEnd is the place of the first unescaped byte out of stops, or of the line's end.
func wordEnd(b []byte, i int, stops string) int {
	for ; i < len(b); i++ {
		c := b[i]
		if !marks[c] {
			continue
		}
		switch {
		case c == '\n':
			return i
		case c == '\\':
			i++
		case c == stops[0], c == stops[1], c == stops[len(stops)-1]:
			return i
		}
	}
	return len(b)
}

func parseInt(b []byte) (int64, error) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	n, ok := count(b)
	if !ok || len(b) == 0 {
		return 0, errTime
	}
	if negative {
		n = -n
	}
	return n, nil
}

// Tag returns the value of a tag as it is written; nil without it. Identifiers are never escaped.
func (l *Line) Tag(key string) []byte { return lookup(l.Tags, key) }

// Field returns the pair of a field; without it, a pair without a value.
func (l *Line) Field(key string) Pair { return Pair{Value: lookup(l.Fields, key)} }

func lookup(pairs []Pair, key string) []byte {
	for i := range pairs {
		if string(pairs[i].Key) == key {
			return pairs[i].Value
		}
	}
	return nil
}

// Float is the value of a number, with or without the i of integers.
func (p Pair) Float() (float64, bool) {
	v := p.Value
	if len(v) == 0 || v[0] != '-' && v[0]-'0' > 9 {
		return 0, false
	}
	s := scanner{data: v}
	_, f, ok := s.number()
	if left := v[s.pos:]; !ok || len(left) > 1 || len(left) == 1 && left[0] != 'i' {
		return 0, false
	}
	return f, true
}

// Int is the value of an integer field (received_at, seq, boot).
func (p Pair) Int() (int64, bool) {
	n := len(p.Value) - 1
	if n < 1 || p.Value[n] != 'i' {
		return 0, false
	}
	v, err := parseInt(p.Value[:n])
	return v, err == nil
}

// Bool is the value of a bool field.
func (p Pair) Bool() (value, ok bool) {
	switch string(p.Value) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Text is the value of a text field. It points into the line if nothing in it was escaped.
func (p Pair) Text() ([]byte, bool) {
	n := len(p.Value)
	if n < 2 || p.Value[0] != '"' || p.Value[n-1] != '"' {
		return nil, false
	}
	in := p.Value[1 : n-1]
	for i, c := range in {
		if c == '\\' {
			return unquote(in, i), true
		}
	}
	return in, true
}

// unquote removes the escapes of a text field; the first backslash is at i.
func unquote(in []byte, i int) []byte {
	out := append(make([]byte, 0, len(in)), in[:i]...)
	for ; i < len(in); i++ {
		if in[i] == '\\' && i+1 < len(in) && (in[i+1] == '\\' || in[i+1] == '"') {
			i++
		}
		out = append(out, in[i])
	}
	return out
}
