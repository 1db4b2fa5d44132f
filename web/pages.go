package web

import (
	"embed"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// dist is the built pages; placeholder stands in for them where they were not built.
var (
	//go:embed all:dist
	dist embed.FS
	//go:embed placeholder
	placeholder embed.FS
)

// pages serves the files of the pages. They hold no data, so they need no login; what is no file does. known says which methods
// a path of the API has.
func (s *Server) pages(known *http.ServeMux) http.Handler {
	files := built(dist, placeholder)
	return s.serve(route{path: "/", public: true, handle: func(s *Server, w http.ResponseWriter, r *http.Request) error {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if name == "" {
			name = "index.html"
		}
		switch {
		case isPageFile(files, name) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			servePage(files, name, w, r)
			return nil
		case s.access.who(r) == nil:
			return errUnauthorized
		}
		if h, pattern := known.Handler(r); pattern != "" {
			methods, _ := h.(allowed)
			w.Header().Set("Allow", strings.Join(methods, ", "))
			return errMethod
		}
		return errNoPage
	}})
}

// isPageFile reports whether a browser may ask for a file. Compressed ones are only another form of those beside them.
func isPageFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular() && path.Base(name)[0] != '.' && path.Ext(name) != ".gz"
}

// hasPage reports whether a page was built into the binary.
func (s *Server) hasPage(name string) bool { return isPageFile(built(dist, placeholder), name) }

// servePage sends a file, compressed if it was built so and the browser takes it. The names of assets change with what is in them,
// so browsers keep those; all else they ask for again.
func servePage(files fs.FS, name string, w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	h.Set("Vary", "Accept-Encoding")
	if _, err := fs.Stat(files, name+".gz"); err == nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		name += ".gz"
	}
	content, err := fs.ReadFile(files, name)
	if err != nil { // it was there a moment ago, and is part of the binary
		panic(err)
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(content) // who has gone needs no answer
	}
}

func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}

// built returns the built pages, or the placeholder if there are none.
func built(dist, placeholder fs.FS) fs.FS {
	if _, err := fs.Stat(dist, "dist/index.html"); errors.Is(err, fs.ErrNotExist) {
		return below(placeholder, "placeholder")
	}
	return below(dist, "dist")
}

func below(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
