package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPagesNeedNoLoginAndHoldNoInlineCode(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	files := built(dist, placeholder)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".html" {
			return err
		}
		r := s.request("GET", "/"+name, "")
		r.Header.Del("Authorization")
		code, header, html := s.do(r)
		if code != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: status %d, type %q", name, code, header.Get("Content-Type"))
		}
		for _, bad := range []string{"style=", " onclick", " onload", "<style", "http://", "https://"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
		for _, m := range regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(html, -1) {
			if !strings.Contains(m[1], "src=") || m[2] != "" {
				t.Errorf("%s: inline script %q", name, m[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPlaceholderStandsInForPagesThatWereNotBuilt(t *testing.T) {
	t.Parallel()
	stand := fstest.MapFS{"placeholder/index.html": {Data: []byte("stands in")}}
	for name, dist := range map[string]fstest.MapFS{
		"stands in": {"dist/.gitkeep": {}},
		"built":     {"dist/.gitkeep": {}, "dist/index.html": {Data: []byte("built")}},
	} {
		got, err := fs.ReadFile(built(dist, stand), "index.html")
		if err != nil || string(got) != name {
			t.Errorf("got %q, %v, want %q", got, err, name)
		}
	}
}

func TestPageFiles(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"index.html": {Data: []byte("<html>")}, "assets/a-1.js": {Data: []byte("plain")}, "assets/a-1.js.gz": {Data: []byte("packed")}, ".gitkeep": {},
	}
	for name, want := range map[string]bool{
		"index.html": true, "assets/a-1.js": true, "assets/a-1.js.gz": false, ".gitkeep": false, "assets": false, "other.html": false,
	} {
		if got := isPageFile(files, name); got != want {
			t.Errorf("%s is served: %v, want %v", name, got, want)
		}
	}
	for _, c := range []struct{ name, accept, body, cache, encoding string }{
		{"index.html", "gzip, br", "<html>", "no-cache", ""},
		{"assets/a-1.js", "br, gzip", "packed", "public, max-age=31536000, immutable", "gzip"},
		{"assets/a-1.js", "gzip;q=0", "plain", "public, max-age=31536000, immutable", ""},
		{"assets/a-1.js", "", "plain", "public, max-age=31536000, immutable", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/"+c.name, nil)
		r.Header.Set("Accept-Encoding", c.accept)
		w := httptest.NewRecorder()
		servePage(files, c.name, w, r)
		if w.Body.String() != c.body || w.Header().Get("Cache-Control") != c.cache || w.Header().Get("Content-Encoding") != c.encoding {
			t.Errorf("%s for %q: %q, %v, want %+v", c.name, c.accept, w.Body, w.Header(), c)
		}
	}
}
