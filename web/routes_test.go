package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
)

func TestEveryRouteWantsTheToken(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	unknown := []route{{method: "GET", path: "/nothing"}, {method: "GET", path: "/api/v1/nothing"}, {method: "GET", path: "/.gitkeep"}}
	others := []route{{method: "DELETE", path: "/api/v1/devices"}, {method: "PATCH", path: "/api/v1/devices/ws-1"}}
	for _, rt := range slices.Concat(unknown, others, routes) {
		for name, header := range map[string]string{
			"no token": "", "wrong token": "Bearer wrong", "empty token": "Bearer ", "other scheme": "Basic " + token, "bare": token,
		} {
			r := s.request(rt.method, strings.ReplaceAll(rt.path, "{id}", "ws-1"), "")
			r.Header.Set("Authorization", header)
			status, h, body := s.do(r)
			if rt.public {
				if status == http.StatusUnauthorized && rt.area != sessionArea {
					t.Errorf("%s %s with %s: status %d", rt.method, rt.path, name, status)
				}
				continue
			}
			if status != http.StatusUnauthorized || !strings.Contains(body, `"unauthorized"`) || h.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s with %s: status %d %s", rt.method, rt.path, name, status, body)
			}
		}
	}
	for _, rt := range unknown {
		s.refused(http.StatusNotFound, "", rt.method, rt.path, "")
	}
	for _, rt := range others {
		s.refused(http.StatusMethodNotAllowed, "", rt.method, rt.path, "")
	}
	if _, h, _ := s.do(s.request("DELETE", "/api/v1/devices", "")); h.Get("Allow") != "GET, POST" || h.Get("Content-Type") != problemType {
		t.Errorf("headers of 405: %v", h)
	}
}

func TestOpenAPIListsEveryRoute(t *testing.T) {
	t.Parallel()
	data, err := openAPI("v1")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI string
		Info    struct{ Version string }
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Security    []map[string][]string
			Responses   map[string]struct{ Content map[string]any }
		}
		Components map[string]map[string]struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Info.Version != "v1" {
		t.Errorf("openapi %q, version %q", doc.OpenAPI, doc.Info.Version)
	}
	ids := map[string]bool{}
	for _, rt := range routes {
		op := doc.Paths[rt.path][strings.ToLower(rt.method)]
		if ids[op.OperationID] || op.OperationID == "" || op.Summary == "" {
			t.Errorf("%s %s: operationId %q is empty or there twice, or no summary", rt.method, rt.path, op.OperationID)
		}
		ids[op.OperationID] = true
		if open := len(op.Security) == 0; open != rt.public {
			t.Errorf("%s %s: open %t, want %t", rt.method, rt.path, open, rt.public)
		}
		if op.Responses["default"].Content[problemType] == nil || op.Responses[strconv.Itoa(cmp.Or(rt.status, http.StatusOK))].Content == nil {
			t.Errorf("%s %s: responses %v", rt.method, rt.path, op.Responses)
		}
	}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/(\w+)/(\w+)"`).FindAllStringSubmatch(string(data), -1) {
		if _, ok := doc.Components[m[1]][m[2]]; !ok {
			t.Errorf("%s is not defined", m[0])
		}
	}
	// Types of one name would be one schema.
	for name, field := range map[string]string{"Alert": "opened_at", "AlertView": "history", "Device": "community", "Detail": "code", "Credentials": "secret", "CommandView": "history"} {
		if doc.Components["schemas"][name].Properties[field] == nil {
			t.Errorf("schema %s has no %s: %v", name, field, doc.Components["schemas"][name])
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken := errors.New("no disk")
	status := map[string]error{"store": nil, "ingest": nil}
	s := run(t, empty{}, func(c *Config) { c.Status = func() map[string]error { return status } })
	open := func(path string) (int, string) {
		r := s.request("GET", path, "")
		r.Header.Del("Authorization")
		code, _, body := s.do(r)
		return code, strings.TrimSpace(body)
	}
	if code, body := open("/healthz"); code != 200 || body != `{"alive":true}` {
		t.Errorf("healthz: %d %s", code, body)
	}
	if code, body := open("/readyz"); code != 200 || body != `{"ready":true}` {
		t.Errorf("readyz: %d %s", code, body)
	}
	status = map[string]error{"store": nil, "ingest": bus.Concern("one record is damaged")}
	if got := ask[struct{ Roles map[string]string }](s, 200, "GET", "/readyz", ""); got.Roles["ingest"] != "one record is damaged" {
		t.Errorf("readyz with a concern: %v", got.Roles)
	}
	status = map[string]error{"store": broken, "ingest": bus.Concern("one record is damaged")}
	if code, body := open("/readyz"); code != 503 || body != `{"ready":false}` {
		t.Errorf("readyz without token: %d %s; the reason is for who has the token", code, body)
	}
	got := ask[struct{ Roles map[string]string }](s, 503, "GET", "/readyz", "")
	if got.Roles["store"] != "no disk" || got.Roles["ingest"] != "one record is damaged" {
		t.Errorf("readyz with token: %v", got.Roles)
	}
	if code, _, body := s.do(s.request("GET", "/metrics", "")); code != 200 || !strings.Contains(body, `linli_web_requests_total{route="/readyz",status="503"}`) {
		t.Errorf("metrics: %d\n%s", code, body)
	}
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://evil.example"}} {
		code, h, _ := s.do(s.request("POST", "/api/v1/rebuild", "", header[0], header[1]))
		if code != http.StatusForbidden || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v: status %d, headers %v", header, code, h)
		}
	}
	_, h, _ := s.do(s.request("GET", "/", ""))
	for name, want := range map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
}

func TestBodiesAreLimitedAndStrict(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.refused(http.StatusRequestEntityTooLarge, "", "POST", "/api/v1/communities", `{"id":"`+strings.Repeat("x", defaultBody)+`"}`)
	for _, body := range []string{`{"id":"a","admin":true}`, `{"id":`, `[]`, `{} {}`, `{"id":1}`, "\xff"} {
		s.refused(http.StatusBadRequest, "body", "POST", "/api/v1/communities", body)
	}
	for _, path := range []string{"/api/v1/devices?comunity=x", "/api/v1/alerts?sate=x", "/api/v1/rejects?after=1"} {
		field := strings.SplitN(path[strings.Index(path, "?")+1:], "=", 2)[0]
		s.refused(http.StatusBadRequest, field, "GET", path, "")
	}
	s.refused(http.StatusBadRequest, "limit", "GET", "/api/v1/devices?limit=1000000000", "")
	s.refused(http.StatusBadRequest, "type", "GET", "/api/v1/devices?type=a&type=b", "")
}

// Every route of who is logged in ends a request that is too large, and one that takes too long.
func TestEveryRouteHasLimits(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	for _, rt := range routes {
		if rt.body > readingsBody || rt.timeout > importTimeout {
			t.Errorf("%s %s: up to %d bytes within %s", rt.method, rt.path, rt.body, rt.timeout)
		}
		rt.public, rt.may, rt.whose, rt.freeform = true, nil, general, true
		rt.body = min(rt.body, importBody>>4) // the largest take too long to send
		most := int(cmp.Or(rt.body, defaultBody))
		var deadline bool
		var read error
		rt.handle = func(_ *Server, w http.ResponseWriter, r *http.Request) error {
			_, deadline = r.Context().Deadline()
			_, read = io.ReadAll(r.Body)
			if read != nil {
				return read
			}
			return reply(w, http.StatusOK, done{true})
		}
		web := httptest.NewServer(s.web.serve(rt))
		r, err := http.NewRequestWithContext(t.Context(), "POST", web.URL, strings.NewReader(strings.Repeat("x", most+1)))
		if err != nil {
			t.Fatal(err)
		}
		status, _, _ := s.do(r)
		web.Close()
		if status != http.StatusRequestEntityTooLarge || read == nil || deadline == (rt.timeout == forever) {
			t.Errorf("%s %s: status %d, body read: %v, deadline %t", rt.method, rt.path, status, read, deadline)
		}
	}
}

func TestOpenFailsEarly(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	c := s.web.Config
	c.Addr = s.web.Addr()
	c.Reg = prometheus.NewRegistry()
	if _, err := Open(t.Context(), c); err == nil {
		t.Error("two servers on one port")
	}
	c.Token = ""
	if _, err := Open(t.Context(), c); err == nil {
		t.Error("a server without a token")
	}
}
