package alerts

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// truth is what a condition evaluates to.
type truth uint8

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// schema is what an expression may name, and where each name gets its value.
type schema map[string]variable

type origin uint8

const (
	fromSignal    origin = iota // index is that of the signal of the rule
	fromTag                     // key is a payload tag
	fromRegistry                // key is a registry tag
	fromAttribute               // key is an attribute, fallback its default
	fromPerson                  // whether the person is away
	fromEvent                   // key is an event field
)

type variable struct {
	origin   origin
	typ      *cel.Type
	index    int
	key      string
	fallback float64
	values   []string // the only ones it can have, of an enum in their order; empty: any
}

// values gives variables their values; nil is unknown.
type values interface {
	value(v *variable) ref.Val
	// number is the value of a signal: of a boolean 0 or 1, of an enum its position.
	number(signal int) (float64, bool)
	attribute(key string, fallback float64) (float64, bool)
}

// condition is a compiled expression of type bool.
type condition struct {
	vars    schema
	program cel.Program
	quick   func(values) truth // equal to program, for the shapes that most rules have; nil for others
}

// The language: arithmetic, comparison and logic on scalars, in with a list of literals, abs(x) and bit(x, 0). Nothing in it loops, so the cost of
// an expression is bounded by its length.
var language = func() *cel.Env {
	var functions []*env.Function
	for _, name := range strings.Fields("_&&_ _||_ !_ _<_ _<=_ _>_ _>=_ _==_ _!=_ _+_ _-_ _*_ _/_ -_ _?_:_ @in") {
		functions = append(functions, &env.Function{Name: name})
	}
	e, err := cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{DisableMacros: true, IncludeFunctions: functions})),
		cel.Function("abs", cel.Overload("abs_double", []*cel.Type{cel.DoubleType}, cel.DoubleType, cel.UnaryBinding(abs))),
		cel.Function("bit", cel.Overload("bit_double_int", []*cel.Type{cel.DoubleType, cel.IntType}, cel.BoolType, cel.BinaryBinding(bit))),
		cel.ClearMacros(),
		cel.ParserExpressionSizeLimit(1000),
		cel.ExpressionNodeLimit(200),
	)
	if err != nil {
		panic(err)
	}
	return e
}()

func abs(v ref.Val) ref.Val {
	if d, ok := v.(types.Double); ok && d < 0 {
		return -d
	}
	return v
}

// bit reports whether a bit of a whole number is set, counted from 0.
func bit(v, n ref.Val) ref.Val {
	x, known := v.(types.Double)
	i, too := n.(types.Int)
	if !known || !too || x < 0 || x > 1<<52 || i < 0 || i > 52 {
		return types.NewErr("no such bit")
	}
	return types.Bool(uint64(x)>>uint(i)&1 == 1)
}

// compile checks text against what it may name and makes it ready to run.
func compile(text string, vars schema) (*condition, error) {
	options := make([]cel.EnvOption, 0, len(vars))
	for name, v := range vars {
		options = append(options, cel.Variable(name, v.typ))
	}
	e, err := language.Extend(options...)
	if err != nil {
		return nil, err
	}
	checked, issues := e.Compile(text)
	if issues.Err() != nil {
		return nil, expressionError(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("want a condition, this is a %s", checked.OutputType())
	}
	if err := checkLiterals(checked.NativeRep().Expr(), vars); err != nil {
		return nil, err
	}
	program, err := e.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &condition{vars, program, quick(checked.NativeRep().Expr(), vars)}, nil
}

// expressionError says what is wrong in one line.
func expressionError(issues *cel.Issues) error {
	first := issues.Errors()[0]
	text := strings.ReplaceAll(first.Message, " (in container '')", "")
	if strings.Contains(text, "'(double, int)'") || strings.Contains(text, "'(int, double)'") {
		text += "; numbers have a decimal point here: 95.0"
	}
	return fmt.Errorf("column %d: %s", first.Location.Column()+1, text)
}

// checkLiterals refuses a comparison with a word that the variable cannot have: it would be false for ever.
func checkLiterals(e ast.Expr, vars schema) (err error) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 {
			return
		}
		a, b := e.AsCall().Args()[0], e.AsCall().Args()[1]
		if a.Kind() == ast.LiteralKind {
			a, b = b, a
		}
		if a.Kind() != ast.IdentKind && a.Kind() != ast.SelectKind {
			return
		}
		literals := []ast.Expr{b}
		if b.Kind() == ast.ListKind {
			literals = b.AsList().Elements()
		}
		v := vars[nameOf(a)]
		for _, l := range literals {
			if l.Kind() != ast.LiteralKind || len(v.values) == 0 {
				continue
			}
			if s, ok := l.AsLiteral().(types.String); ok && !slices.Contains(v.values, string(s)) {
				err = fmt.Errorf("%s is never %q, only %s", nameOf(a), string(s), strings.Join(v.values, ", "))
			}
		}
	}))
	return err
}

// nameOf is the qualified name of a variable as it is written.
func nameOf(e ast.Expr) string {
	if e.Kind() == ast.SelectKind {
		return nameOf(e.AsSelect().Operand()) + "." + e.AsSelect().FieldName()
	}
	return e.AsIdent()
}

// eval never fails: what cannot be computed is unknown.
func (c *condition) eval(v values) truth {
	if c.quick != nil {
		return c.quick(v)
	}
	out, _, err := c.program.Eval(&activation{c.vars, v})
	if b, ok := out.(types.Bool); ok && err == nil {
		return truthOf(bool(b))
	}
	return unknown
}

// activation lets a program read values. What is unknown stays unknown through every operator that needs it.
type activation struct {
	vars   schema
	values values
}

func (a *activation) ResolveName(name string) (any, bool) {
	v, ok := a.vars[name]
	if !ok {
		return nil, false
	}
	if value := a.values.value(&v); value != nil {
		return value, true
	}
	return types.NewUnknown(0, nil), true
}

func (a *activation) Parent() cel.Activation { return nil }
