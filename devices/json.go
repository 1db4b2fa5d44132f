package devices

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth bounds how deep values may be nested, in parts of a payload that nobody reads.
const maxDepth = 32

// scanner reads JSON (RFC 8259) in place. Its data must be valid UTF-8. The first mistake is kept in wrong; every method then
// reports false and the caller returns.
type scanner struct {
	data  []byte
	pos   int
	wrong string // what is wrong at pos
	text  []byte // the last string that had escapes, without them
}

func (s *scanner) reset(data []byte) {
	s.data, s.pos, s.wrong = data, 0, ""
}

func (s *scanner) fail(wrong string) bool {
	if s.wrong == "" {
		s.wrong = wrong
	}
	return false
}

// next moves to the next byte that is not white space and returns it, or 0 at the end.
func (s *scanner) next() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// end reports whether nothing but white space is left.
func (s *scanner) end() bool {
	if s.next(); s.pos < len(s.data) {
		return s.fail("more follows the value")
	}
	return true
}

// member moves to the value of the next member of an object and returns its name, which is valid until the next string is read.
// first: the opening brace is at pos. It reports false at the closing brace, which it passes, and on a mistake.
func (s *scanner) member(first bool) (name []byte, ok bool) {
	if first {
		s.pos++
		if s.next() == '}' {
			s.pos++
			return nil, false
		}
	} else {
		switch s.next() {
		case '}':
			s.pos++
			return nil, false
		case ',':
			s.pos++
		default:
			return nil, s.fail("want , or } after a member")
		}
	}
	if s.next() != '"' {
		return nil, s.fail("want the name of a member")
	}
	if name, ok = s.str(); !ok {
		return nil, false
	}
	if s.next() != ':' {
		return nil, s.fail("want : after the name of a member")
	}
	s.pos++
	s.next()
	return name, true
}

// element moves to the next element of an array, as member does in an object.
func (s *scanner) element(first bool) bool {
	if first {
		s.pos++
		if s.next() == ']' {
			s.pos++
			return false
		}
		return true
	}
	switch s.next() {
	case ']':
		s.pos++
		return false
	case ',':
		s.pos++
		s.next()
		return true
	}
	return s.fail("want , or ] after an element")
}

// str reads a string whose opening quote is at pos. The result is valid until the next string is read.
func (s *scanner) str() ([]byte, bool) {
	start := s.pos + 1
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return s.data[start:i], true
		case c == '\\':
			return s.escaped(start, i)
		case c < ' ':
			s.pos = i
			return nil, s.fail("control character in a string")
		}
	}
	s.pos = len(s.data)
	return nil, s.fail("string does not end")
}

var unescape = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads on in a string that began at start and has its first backslash at i.
func (s *scanner) escaped(start, i int) ([]byte, bool) {
	s.text = append(s.text[:0], s.data[start:i]...)
	for i < len(s.data) {
		c := s.data[i]
		s.pos = i
		switch {
		case c == '"':
			s.pos++
			return s.text, true
		case c < ' ':
			return nil, s.fail("control character in a string")
		case c != '\\':
			s.text = append(s.text, c)
			i++
			continue
		case i+1 == len(s.data):
			return nil, s.fail("string does not end")
		}
		if c = unescape[s.data[i+1]]; c != 0 {
			s.text = append(s.text, c)
			i += 2
			continue
		}
		r, ok := s.hex(i)
		if !ok {
			return nil, false
		}
		i += 6
		if utf16.IsSurrogate(r) {
			low, ok := s.hex(i)
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return nil, s.fail("unpaired surrogate")
			}
			i += 6
		}
		s.text = utf8.AppendRune(s.text, r)
	}
	s.pos = len(s.data)
	return nil, s.fail("string does not end")
}

// hex reads \uXXXX at i.
func (s *scanner) hex(i int) (rune, bool) {
	if i+6 > len(s.data) || s.data[i] != '\\' || s.data[i+1] != 'u' {
		return 0, s.fail("malformed escape")
	}
	var r rune
	for _, c := range s.data[i+2 : i+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, s.fail("malformed escape")
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// number reads a number. raw is how it is written; a value too large for a float64 is infinite.
func (s *scanner) number() (raw []byte, value float64, ok bool) {
	d, i := s.data, s.pos
	if d[i] == '-' {
		i++
	}
	first := i
	var mantissa uint64
	for i < len(d) && d[i]-'0' <= 9 {
		mantissa = mantissa*10 + uint64(d[i]-'0')
		i++
	}
	digits, exponent := i-first, 0
	if digits == 0 || digits > 1 && d[first] == '0' {
		return nil, 0, s.fail("malformed number")
	}
	if i < len(d) && d[i] == '.' {
		point := i
		for i++; i < len(d) && d[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(d[i]-'0')
		}
		exponent = point + 1 - i
		digits -= exponent
		if exponent == 0 {
			return nil, 0, s.fail("malformed number")
		}
	}
	if i < len(d) && d[i]|0x20 == 'e' {
		e, n := exponentOf(d[i+1:])
		if n == 0 {
			return nil, 0, s.fail("malformed number")
		}
		i += 1 + n
		exponent += e
	}
	raw = d[s.pos:i]
	s.pos = i
	// Both are exact in a float64, so one rounding gives the nearest (Clinger). 19 digits fit mantissa.
	if digits <= 19 && mantissa < 1<<53 && -22 <= exponent && exponent <= 22 {
		value = float64(mantissa)
		if exponent < 0 {
			value /= pow10[-exponent]
		} else {
			value *= pow10[exponent]
		}
		if raw[0] == '-' {
			value = -value
		}
		return raw, value, true
	}
	value, _ = strconv.ParseFloat(unsafe.String(&raw[0], len(raw)), 64) // infinite with its only possible error
	return raw, value, true
}

// exponentOf reads what follows the e of a number: its value and how many bytes it has, 0 if it is malformed.
func exponentOf(d []byte) (e, n int) {
	negative := false
	if len(d) > 0 && (d[0] == '+' || d[0] == '-') {
		negative = d[0] == '-'
		n++
	}
	first := n
	for ; n < len(d) && d[n]-'0' <= 9; n++ {
		e = min(e*10+int(d[n]-'0'), 1e6) // so far beyond float64 that more changes nothing
	}
	if n == first {
		return 0, 0
	}
	if negative {
		e = -e
	}
	return e, n
}

// word passes a literal.
func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(w)) {
		return s.fail("want a value")
	}
	s.pos += len(w)
	return true
}

// skip passes any value, checking it. depth is how deep it is nested.
func (s *scanner) skip(depth int) bool {
	switch c := s.next(); {
	case depth > maxDepth:
		return s.fail("nested deeper than " + strconv.Itoa(maxDepth))
	case c == '"':
		_, ok := s.str()
		return ok
	case c == '{':
		for _, ok := s.member(true); ok; _, ok = s.member(false) {
			if !s.skip(depth + 1) {
				return false
			}
		}
	case c == '[':
		for ok := s.element(true); ok; ok = s.element(false) {
			if !s.skip(depth + 1) {
				return false
			}
		}
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c-'0' <= 9:
		_, _, ok := s.number()
		return ok
	default:
		return s.fail("want a value")
	}
	return s.wrong == ""
}
