package alerts

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// quick compiles the shapes that nearly all conditions have without CEL: comparisons of signals, attributes and literals, and
// their combinations by && || and !. It takes a twentieth of CEL's time and allocates nothing. It returns nil for everything
// else. TestQuickEqualsCEL holds the two together.
func quick(e ast.Expr, vars schema) func(values) truth {
	if e.Kind() == ast.IdentKind {
		return same(vars, e, truism)
	}
	if e.Kind() != ast.CallKind {
		return nil
	}
	op, args := e.AsCall().FunctionName(), e.AsCall().Args()
	switch {
	case op == operators.LogicalNot:
		return negated(quick(args[0], vars))
	case op == operators.LogicalAnd, op == operators.LogicalOr:
		return combined(truthOf(op == operators.LogicalOr), quick(args[0], vars), quick(args[1], vars))
	case op == operators.In && args[1].Kind() == ast.ListKind:
		var any func(values) truth
		for i, e := range args[1].AsList().Elements() {
			if one := same(vars, args[0], e); i == 0 {
				any = one
			} else {
				any = combined(yes, any, one)
			}
		}
		return any
	case comparisons[op] == nil:
		return nil
	case isWord(args[1]) && op == operators.Equals:
		return same(vars, args[0], args[1])
	case isWord(args[1]) && op == operators.NotEquals:
		return negated(same(vars, args[0], args[1]))
	}
	a, b, test := arithmetic(args[0], vars), arithmetic(args[1], vars), comparisons[op]
	if a == nil || b == nil {
		return nil
	}
	return func(v values) truth {
		x, known := a(v)
		y, too := b(v)
		if !known || !too {
			return unknown
		}
		return truthOf(test(x, y))
	}
}

func negated(a func(values) truth) func(values) truth {
	if a == nil {
		return nil
	}
	return func(v values) truth { return a(v).not() }
}

// combined is && or ||: the truth that decides does so whatever the other side is.
func combined(decides truth, a, b func(values) truth) func(values) truth {
	if a == nil || b == nil {
		return nil
	}
	return func(v values) truth {
		x := a(v)
		if x == decides {
			return x
		}
		if y := b(v); y == decides || x != unknown {
			return y
		}
		return unknown
	}
}

func isWord(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral().Type() != types.DoubleType
}

// same tests whether a signal is a word or a boolean.
func same(vars schema, e, word ast.Expr) func(values) truth {
	if e.Kind() != ast.IdentKind || word.Kind() != ast.LiteralKind || vars[e.AsIdent()].origin != fromSignal {
		return nil
	}
	v := vars[e.AsIdent()]
	want := -1.0
	switch literal := word.AsLiteral().(type) {
	case types.Bool:
		want = 0
		if literal {
			want = 1
		}
	case types.String: // enum values are kept as their positions
		want = float64(slices.Index(v.values, string(literal)))
	}
	if want < 0 {
		return nil
	}
	return func(values values) truth {
		x, known := values.number(v.index)
		if !known {
			return unknown
		}
		return truthOf(x == want)
	}
}

// arithmetic compiles a number.
func arithmetic(e ast.Expr, vars schema) func(values) (float64, bool) {
	switch e.Kind() {
	case ast.LiteralKind:
		if d, ok := e.AsLiteral().(types.Double); ok {
			return func(values) (float64, bool) { return float64(d), true }
		}
	case ast.IdentKind, ast.SelectKind:
		v := vars[nameOf(e)]
		switch {
		case v.typ != cel.DoubleType:
		case v.origin == fromSignal:
			return func(values values) (float64, bool) { return values.number(v.index) }
		case v.origin == fromAttribute:
			return func(values values) (float64, bool) { return values.attribute(v.key, v.fallback) }
		}
	case ast.CallKind:
		args, operation := e.AsCall().Args(), operations[e.AsCall().FunctionName()]
		if len(args) != 2 || operation == nil {
			return nil
		}
		a, b := arithmetic(args[0], vars), arithmetic(args[1], vars)
		if a == nil || b == nil {
			return nil
		}
		return func(v values) (float64, bool) {
			x, known := a(v)
			y, too := b(v)
			return operation(x, y), known && too
		}
	}
	return nil
}

var truism = ast.NewExprFactory().NewLiteral(0, types.True)

var comparisons = map[string]func(a, b float64) bool{
	operators.Less:          func(a, b float64) bool { return a < b },
	operators.LessEquals:    func(a, b float64) bool { return a <= b },
	operators.Greater:       func(a, b float64) bool { return a > b },
	operators.GreaterEquals: func(a, b float64) bool { return a >= b },
	operators.Equals:        func(a, b float64) bool { return a == b },
	operators.NotEquals:     func(a, b float64) bool { return a != b },
}

var operations = map[string]func(a, b float64) float64{
	operators.Add:      func(a, b float64) float64 { return a + b },
	operators.Subtract: func(a, b float64) float64 { return a - b },
	operators.Multiply: func(a, b float64) float64 { return a * b },
	operators.Divide:   func(a, b float64) float64 { return a / b },
}
