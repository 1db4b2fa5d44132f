package alerts

// windowKind judges functions of what a series said in a window of time: signals, or value as fn of the rule's own field.
var windowKind = &kind{
	keys: "signals/field when/levels | clear for max_age window fn bucket min_coverage",
	declare: func(b *binder, x *bound, vars schema) {
		if x.field == nil {
			return
		}
		r := b.rule
		s := r.own
		s.name, s.line, s.maxAge = "value", r.Line, r.MaxAge
		if s.fn == "" {
			s.fn = "last"
		}
		b.field(x, vars, &s, x.field)
	},
}
