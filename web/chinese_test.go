package web

import (
	"errors"
	"go/ast"
	"go/parser"
	source "go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"linli/devices"
)

// makers are the functions that say what is wrong, with the argument that has the words; -1: the last.
var makers = map[string]int{"invalid": 1, "Fail": 2, "fail": 2, "bad": -1, "unusable": 1, "refuse": 1}

// records are the errors that have their words in an element.
var records = map[string]int{"problem": 2, "InvalidError": 2, "ParamError": 1, "refusal": 1, "Fault": 2}

// decoding are the makers of what is wrong with what devices send, and of its parts.
var decoding = map[string]int{"fail": -1, "refuse": -1, "reject": -1, "leaveOut": -1, "Errorf": 0}

// verdicts are the functions that return words about a field.
var verdicts = []string{"Check", "MayConfirm", "wrong"}

// TestEveryProblemIsSaidInChinese reads the code: whatever a page may be told has its words in chinese.yaml.
func TestEveryProblemIsSaidInChinese(t *testing.T) {
	mustSay(t, chinese(), wordsOf(t, makers, 100,
		"*.go", "account/*.go", "../people/*.go", "../bus/hold.go", "../bus/bucket/bucket.go",
		"../devices/registry*.go", "../devices/plan.go", "../devices/checks.go", "../devices/secret.go", "../devices/command.go", "../devices/import*.go",
	))
}

// TestEveryRejectIsSaidInChinese reads the code in the same way: whatever becomes the reason of a reject.
func TestEveryRejectIsSaidInChinese(t *testing.T) {
	mustSay(t, rejections(), wordsOf(t, decoding, 40, "../devices/decode*.go", "../devices/json.go", "../devices/topic.go", "../ingest/message.go", "../ingest/event.go"))
	words := []string{string(devices.Revoked), string(devices.Replaced)} // what they say of a type or a state
	for _, kind := range []devices.FieldType{devices.Float, devices.Int, devices.Bool, devices.Enum, devices.String} {
		words = append(words, kind.String())
	}
	for _, word := range words {
		if rejections().line(word) == word {
			t.Errorf("chinese.yaml does not know the word %q", word)
		}
	}
}

// wordsOf finds the texts that are made in some files, and where; at least so many.
func wordsOf(t *testing.T, makers map[string]int, least int, patterns ...string) map[string]source.Position {
	said := map[string]source.Position{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(files))
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || file == "readings_import.go" { // that is for the command line
				continue
			}
			set := source.NewFileSet()
			tree, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			eachWord(tree, makers, func(e ast.Expr) {
				if words := format(e); strings.ContainsFunc(hole.ReplaceAllString(words, ""), isLetter) {
					said[words] = set.Position(e.Pos())
				}
			})
		}
	}
	if len(said) < least {
		t.Errorf("only %d texts found: the test does not see them any more", len(said))
	}
	return said
}

// mustSay wants a Chinese text for each.
func mustSay(t *testing.T, book *phrasebook, said map[string]source.Position) {
	for words, at := range said {
		if zh, known := book.say(hole.ReplaceAllStringFunc(words, func(h string) string {
			switch h[len(h)-1] {
			case 'q':
				return `"x"`
			case 'd':
				return "7"
			}
			return "x"
		})); !known || !strings.ContainsFunc(zh, func(r rune) bool { return r >= 0x4e00 }) {
			t.Errorf("%s: chinese.yaml does not know %q", at, words)
		}
	}
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// eachWord hands over what says in words what is wrong.
func eachWord(tree *ast.File, makers map[string]int, take func(ast.Expr)) {
	ast.Inspect(tree, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.CallExpr:
			if at, ok := makers[nameOf(x.Fun)]; ok && len(x.Args) > max(at, 0) {
				take(x.Args[(at+len(x.Args))%len(x.Args)])
			}
		case *ast.CompositeLit:
			if at, ok := records[nameOf(x.Type)]; ok && len(x.Elts) > at {
				e := x.Elts[at]
				if pair, ok := e.(*ast.KeyValueExpr); ok {
					e = pair.Value
				}
				take(e)
			}
		case *ast.AssignStmt:
			if len(x.Lhs) == 1 && slices.Contains([]string{"reason", "badTime"}, nameOf(x.Lhs[0])) {
				take(x.Rhs[0])
			}
		case *ast.ValueSpec: // var ErrBusy = errors.New("…")
			for i, v := range x.Values {
				if call, ok := v.(*ast.CallExpr); ok && strings.HasPrefix(strings.ToLower(x.Names[i].Name), "err") && nameOf(call.Fun) == "New" && len(call.Args) == 1 {
					take(call.Args[0])
				}
			}
		case *ast.FuncDecl:
			if slices.Contains(verdicts, x.Name.Name) {
				ast.Inspect(x, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) > 0 {
						take(r.Results[len(r.Results)-1])
					}
					return true
				})
			}
		}
		return true
	})
}

func nameOf(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

// format is the format of a text; what is not known before it runs is a hole.
func format(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(x.Value)
		return s
	case *ast.BinaryExpr:
		return format(x.X) + format(x.Y)
	case *ast.CallExpr:
		if name := nameOf(x.Fun); (name == "Sprintf" || name == "TrimSpace") && len(x.Args) > 0 {
			return format(x.Args[0])
		}
	}
	return "%s"
}

func TestProblemsAreSaidInTheLanguageAskedFor(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	for _, c := range []struct{ language, method, path, body, want string }{
		{"zh", "GET", "/api/v1/devices/none", "", "没有设备“none”"},
		{"en", "GET", "/api/v1/devices/none", "", `device "none" does not exist`},
		{"", "GET", "/api/v1/devices/none", "", `device "none" does not exist`},
		{"zh-CN,zh;q=0.9,en;q=0.8", "POST", "/api/v1/rules/overrides", `{"rule":"wb_fall","device":"nowhere","reason":"x"}`, "设备：没有设备“nowhere”"},
		{"en-GB,zh;q=0.5", "POST", "/api/v1/rules/overrides", `{"rule":"wb_fall","device":"nowhere","reason":"x"}`, `device: there is no device "nowhere"`},
		{"zh", "PUT", "/api/v1/people/p-1", `{"community":"north","name":"王","phone":"12"}`, "人员“p-1”：电话“12”不是电话号码，应为 11 位数字或 +86 开头"},
		{"zh", "PUT", "/api/v1/rotas/r-1", `{"community":"north","role":"property_duty","layers":[{"people":["nobody"],"turn":"daily","since":"soon"}]}`, "排班“r-1”：开始日期“soon”不是日期，应如 2026-01-05\n轮班人员“nobody”未登记"},
		{"zh", "POST", "/api/v1/silences", `{"match":{"community":"north"},"until":"2026-01-01T00:00:00Z"}`, "理由：必填"},
	} {
		_, _, text := s.do(s.request(c.method, c.path, c.body, "Accept-Language", c.language))
		if !strings.Contains(text, strconv.Quote(c.want)) && !strings.Contains(text, strings.ReplaceAll(strconv.Quote(c.want), `\u003e`, ">")) {
			t.Errorf("%s %s in %q: %s, want %s", c.method, c.path, c.language, text, c.want)
		}
	}
}

func TestWhatFillsAHoleIsTranslatedToo(t *testing.T) {
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "zh")
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.Join(&devices.InvalidError{Field: "name", Reason: "is empty"}, &devices.InvalidError{Field: "password", Value: "***", Reason: "has fewer than 12 characters"}), "名称不能为空\n密码少于 12 个字符"},
		{unusable("seconds", (&devices.ParamError{Param: "seconds", Reason: "9 is not between 1 and 5"}).Error()), "参数 seconds：9 不在 1 到 5 之间"},
		{invalid("set.when", "%s", "Syntax error: mismatched input"), "触发条件：Syntax error: mismatched input"}, // of the parser of expressions
	} {
		if got := toProblem(c.err).said(r); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
