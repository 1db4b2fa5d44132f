package series

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestOpenNamesTheBadOption(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{URL: "influx:8086", Bucket: "b"}, "influx url"},
		{Options{URL: "", Bucket: "b"}, "influx url"},
		{Options{URL: "http://h:8086"}, "influx bucket"},
		{Options{URL: "http://h:8086", Bucket: "b", Token: "t", User: "u"}, "influx token"},
	} {
		if _, err := OpenInflux(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error with %q", c.o, err, c.want)
		}
	}
}

func TestAuthenticationOverTCP(t *testing.T) {
	url := server(t, true)
	for _, c := range []struct {
		name   string
		o      Options
		status int
	}{
		{"user", Options{User: userName, Password: password}, 0},
		{"user as token", Options{Token: tokenUser + ":" + tokenPassword}, 0},
		{"wrong password", Options{User: userName, Password: "wrong"}, http.StatusUnauthorized},
		{"wrong token", Options{Token: userName + ":wrong"}, http.StatusUnauthorized},
		{"none", Options{}, http.StatusUnauthorized},
		{"other database", Options{User: userName, Password: password, Bucket: "other/autogen"}, http.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.URL = url
			if c.o.Bucket == "" {
				c.o.Bucket = "linli/autogen"
			}
			x := connect(t, c.o)
			err := x.Write(t.Context(), []byte("m,device=a v=1 1700000000000000000\n"))
			checkStatus(t, "write", err, c.status)
			_, err = x.Raw(t.Context(), ask("m", "v", "a"), 0)
			checkStatus(t, "query", err, c.status)
			if err := x.Ping(t.Context()); (err == nil) != (c.status == 0) {
				t.Errorf("ping: %v", err)
			}
		})
	}
}

func TestTokenOfUserAndPasswordWorks(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Token u:p" {
			t.Errorf("%s: Authorization %q", r.URL.Path, got)
		}
		if r.URL.Path == "/api/v2/write" {
			w.WriteHeader(http.StatusNoContent)
			if got := r.URL.Query().Get("org") + " " + r.URL.Query().Get("bucket"); got != "o b" {
				t.Errorf("org and bucket %q", got)
			}
			return
		}
		w.Write([]byte(`{"results":[]}`))
	}))
	defer s.Close()
	x := connect(t, Options{URL: s.URL, Org: "o", Bucket: "b", Token: "u:p"})
	write(t, x, "m v=1")
	if err := x.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func checkStatus(t *testing.T, what string, err error, want int) {
	t.Helper()
	got := 0
	var we *WriteError
	var qe *QueryError
	switch {
	case errors.As(err, &we):
		got = we.Status
	case errors.As(err, &qe):
		got = qe.Status
	case err != nil:
		t.Fatalf("%s: %v", what, err)
	}
	if got != want {
		t.Errorf("%s: status %d (%v), want %d", what, got, err, want)
	}
}

func TestBadLineIsAPartialWrite(t *testing.T) {
	x := open(t)
	err := x.Write(t.Context(), []byte("bad line\nm,device=a v=2 1700000000000000000\n"))
	var we *WriteError
	if !errors.As(err, &we) || we.Status != http.StatusBadRequest || !strings.Contains(we.Message, "bad line") {
		t.Fatalf("got %v, want status 400 with the line", err)
	}
	points, err := x.Raw(t.Context(), ask("m", "v", "a"), 0)
	if err != nil || len(points) != 1 || points[0].Value != 2.0 {
		t.Errorf("the good line: %v, %v", points, err)
	}
}

func TestFieldTypeConflictIsSurfaced(t *testing.T) {
	x := open(t)
	write(t, x, "m,device=a v=2 1700000000000000000")
	err := x.Write(t.Context(), []byte(`m,device=a v="text" 1700000001000000000`))
	var we *WriteError
	if !errors.As(err, &we) || we.Status != http.StatusBadRequest || !strings.Contains(we.Message, "field type conflict") {
		t.Errorf("got %v, want status 400, field type conflict", err)
	}
}

func TestWriteErrorSaysWhatTheServerAskedFor(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		w.Write([]byte(`{"code":"unavailable","message":"cache is full"}`))
	}))
	defer s.Close()
	x := connect(t, Options{URL: s.URL, Bucket: "b"})
	var we *WriteError
	if err := x.Write(t.Context(), []byte("m v=1")); !errors.As(err, &we) {
		t.Fatalf("got %v", err)
	}
	if we.Status != 503 || we.RetryAfter != 7*time.Second || we.Message != "cache is full" {
		t.Errorf("got %+v", we)
	}
}

func TestNoAnswerHasStatusZero(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	x := connect(t, Options{URL: "http://" + l.Addr().String(), Bucket: "b"})
	var we *WriteError
	if err := x.Write(t.Context(), []byte("m v=1")); !errors.As(err, &we) || we.Status != 0 {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Write(ctx, []byte("m v=1")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the credentials went to another server")
	}))
	defer other.Close()
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	x := connect(t, Options{URL: s.URL, Bucket: "b", Token: "t"})
	checkStatus(t, "write", x.Write(t.Context(), []byte("m v=1")), http.StatusTemporaryRedirect)
	_, err := x.Raw(t.Context(), ask("m", "v", "a"), 0)
	checkStatus(t, "query", err, http.StatusTemporaryRedirect)
}
