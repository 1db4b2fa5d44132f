package alerts

import "time"

// rateKind judges how far a field has moved in the last per: change, as the difference to the value one per ago, which lies on
// the straight line between the readings around that moment. value is the reading itself.
var rateKind = &kind{
	keys: "field/fields per when/levels | clear for max_age",
	declare: func(b *binder, x *bound, vars schema) {
		declareValue(b, x, vars)
		if x.field != nil {
			s := signalSource{name: "change", line: b.rule.Line, fn: "rate", window: span{fixed: b.rule.per}, maxAge: b.rule.MaxAge}
			b.field(x, vars, &s, x.field)
		}
	},
}

// span is a length of time as a rule gives it: fixed, or a number of reporting periods.
type span struct {
	fixed   time.Duration
	periods float64
}

// of is the span for something that reports every period.
func (s span) of(period time.Duration) time.Duration {
	if s.periods > 0 {
		return time.Duration(s.periods * float64(period))
	}
	return s.fixed
}
