package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"slices"

	"linli/bus"
	"linli/people"
)

// answerRoutes are for who has no account: people who were sent a link, and the providers that carry messages to them. The path itself
// is what lets them in, see people.Passes.
var answerRoutes = []route{
	{
		method: "GET", path: "/a/{token}", area: "answers", about: "The page of a link that was sent with an alert; looking at it changes nothing",
		public: true, in: plainly{}, outType: "text/html", handle: asLink((*Server).answerPage),
	},
	{
		method: "POST", path: "/a/{token}", area: "answers", about: "Acknowledge the alert that a link was sent with",
		public: true, freeform: true, outType: "text/html", handle: asLink((*Server).answerByLink),
	},
	{
		method: "POST", path: "/callback/{channel}/{secret}", area: "answers", about: "What the provider of a channel says of messages",
		public: true, freeform: true, inType: "application/json", out: callbackAnswer{}, handle: (*Server).callback,
	},
}

// answerPolicy lets the page of a link send its form back, and nothing else.
const answerPolicy = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// answerTemplate is plain: it has to work on any phone, in both languages, without scripts or styles.
var answerTemplate = template.Must(template.New("answer").Parse(`<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>邻里 linli</title>
{{if not .Alert}}<h1>这个链接已失效。<br><small lang="en">This link is no longer good.</small></h1>
<p>链接在通知发出 24 小时后失效；已不是联系人的，也不能再打开。请使用最新一条通知里的链接，或联系物业值班室。情况紧急请直接拨打 120。</p>
<p lang="en">A link is good for 24 hours, and for those who are among the contacts. Use the link of the latest message, or call the duty desk. If it is urgent, call 120.</p>
<p><a href="tel:120">拨打 120 <span lang="en">Call 120</span></a></p>
{{else}}<h1>{{.Alert.Name.ZH}}<br><small lang="en">{{.Alert.Name.EN}}</small></h1>
<p>{{.Alert.Text.ZH}}</p><p lang="en">{{.Alert.Text.EN}}</p>
{{if .Done}}<p role="status"><strong>已收到，谢谢。 <span lang="en">Noted, thank you.</span></strong></p>
{{else if .Over}}<p role="status"><strong>此事已处理完毕。 <span lang="en">This is over.</span></strong></p>
{{else}}{{if .By}}<p role="status">{{.By}} 已响应。 <span lang="en">{{.By}} looks after it.</span></p>{{end}}
<form method="post"><button type="submit">我来处理 <span lang="en">I look after it</span></button></form>
{{end}}{{if .Alert.Instructions.ZH}}<p>{{.Alert.Instructions.ZH}}</p><p lang="en">{{.Alert.Instructions.EN}}</p>{{end}}{{end}}
</html>
`))

// plainly asks for the page that works without scripts.
type plainly struct {
	Plain int `query:"plain" enum:"1"`
}

type answerView struct {
	Alert      *bus.Alert // nil: the link is good for nothing
	By         string
	Done, Over bool
}

func (s *Server) showAnswer(w http.ResponseWriter, v answerView) error {
	var b bytes.Buffer
	if err := answerTemplate.Execute(&b, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", answerPolicy)
	if v.Alert == nil {
		w.WriteHeader(http.StatusNotFound)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// asLink says in words to who opens a link that is good for nothing that it is.
func asLink(h func(*Server, http.ResponseWriter, *http.Request) error) func(*Server, http.ResponseWriter, *http.Request) error {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		err := h(s, w, r)
		if errors.Is(err, errNoPass) {
			return s.showAnswer(w, answerView{})
		}
		return err
	}
}

var errNoPass = &problem{http.StatusNotFound, "not_found", "this link is not, or no longer, good for anything", ""}

// holder is who a link was sent to, and its alert. The link of a person who was removed since, is not of the circle any more, or whose
// links were ended, is good for nothing; nor is that of an alert that they may not know of any more, unless they are of the circle:
// then it still opens the page of the elder, without that alert.
func (s *Server) holder(r *http.Request) (*relative, *bus.Alert, error) {
	if s.Passes == nil {
		return nil, nil, errNoPass
	}
	pass, err := s.Passes.Read(r.PathValue("token"), s.Now())
	if err != nil {
		return nil, nil, errNoPass
	}
	a, err := s.findAlert(r.Context(), pass.Alert)
	if p := new(problem); errors.As(err, &p) && p.status == http.StatusNotFound {
		err = errNoPass
	}
	if err != nil {
		return nil, nil, err
	}
	k := &relative{id: pass.Person, name: "duty", alert: a}
	if pass.Person == "" {
		return k, a, nil
	}
	p := s.People.Person(pass.Person)
	if p == nil || p.LinksSince != nil && pass.Sent().Before(*p.LinksSince) {
		return nil, nil, errNoPass
	}
	k.name = p.Name
	switch k.member = s.People.Member(a.Person, p.ID); {
	case k.member != nil:
		k.elder, k.family = s.People.Person(a.Person), !p.Staff()
		if k.family && !s.mayKnow(k.member, a) {
			k.alert = nil
		}
	case a.Person != "" && slices.Contains(p.Roles, people.Contact) && !p.Staff():
		return nil, nil, errNoPass
	}
	return k, a, nil
}

// answerPage shows who is of an elder's circle the page of the family, which can do more; ?plain=1 is for phones that cannot show it.
func (s *Server) answerPage(w http.ResponseWriter, r *http.Request) error {
	k, a, err := s.holder(r)
	if err != nil {
		return err
	}
	if k.elder != nil && !r.URL.Query().Has("plain") && s.hasPage("family.html") {
		http.Redirect(w, r, "../family.html#"+r.PathValue("token"), http.StatusSeeOther)
		return nil
	}
	if k.alert == nil {
		return errNoPass
	}
	s.keepOfLink(w, r, k, a, nil)
	by := a.AckedBy
	if by == "" {
		by = a.FamilyAckBy
	}
	return s.showAnswer(w, answerView{Alert: a, By: by, Over: a.State == bus.Closed})
}

// answerByLink hands the acknowledgement on. Once it is stored it holds, so the page does not wait for what comes of it.
func (s *Server) answerByLink(w http.ResponseWriter, r *http.Request) error {
	k, a, err := s.holder(r)
	if err != nil {
		return err
	}
	if k.alert == nil {
		return errNoPass
	}
	s.keepOfLink(w, r, k, a, nil)
	if a.State == bus.Closed {
		return s.showAnswer(w, answerView{Alert: a, Over: true})
	}
	key, err := actionKey(a.ID, "acknowledge", "")
	if err != nil {
		return err
	}
	data, err := json.Marshal(bus.Action{
		Key: key, Kind: "acknowledge", Alert: a.ID, Community: a.Community, By: k.name, Person: k.id, Family: k.family, Note: "by link", At: s.Now().UTC(),
	})
	if err != nil {
		return err
	}
	if _, _, err = s.Bus.Publish(r.Context(), bus.ActionsSubject(a.Community), key, data); err != nil {
		return err
	}
	return s.showAnswer(w, answerView{Alert: a, Done: true})
}

// callbackAnswer is what providers want to read.
type callbackAnswer struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

// callback keeps what a provider says for notify, which understands it. The same words twice are one.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) error {
	channel := r.PathValue("channel")
	if s.Passes == nil || !s.Passes.IsCallback(channel, r.PathValue("secret")) {
		return errNoPass
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(channel + "\x00" + r.URL.RawQuery + "\x00" + string(body)))
	key := "callback." + hex.EncodeToString(sum[:16])
	data, err := json.Marshal(bus.Action{
		Key: key, Kind: "callback", By: "channel " + channel, At: s.Now().UTC(),
		Callback: &bus.Callback{Channel: channel, Query: r.URL.RawQuery, Body: body},
	})
	if err != nil {
		return err
	}
	if _, _, err := s.Bus.Publish(r.Context(), bus.CallbacksSubject, key, data); err != nil {
		return err
	}
	return reply(w, http.StatusOK, callbackAnswer{0, "ok"})
}
