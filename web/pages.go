package web

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// dist is the built pages; page stands in for them where they were not built.
var (
	//go:embed all:dist
	dist embed.FS
	//go:embed page
	page embed.FS
)

// pages serves the files of the pages. They hold no data, so they need no login; what is no file does. known says which methods
// a path of the API has.
func (s *Server) pages(known *http.ServeMux) http.Handler {
	files := built()
	server := http.FileServerFS(files)
	return s.serve(route{path: "/", public: true, handle: func(s *Server, w http.ResponseWriter, r *http.Request) error {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if name == "" {
			name = "index.html"
		}
		info, err := fs.Stat(files, name)
		isFile := err == nil && info.Mode().IsRegular() && path.Base(name)[0] != '.'
		switch {
		case isFile && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			w.Header().Set("Cache-Control", "no-cache")
			server.ServeHTTP(w, r)
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

// built returns the built pages, or page if there are none.
func built() fs.FS {
	for _, dir := range []struct {
		fs   embed.FS
		name string
	}{{dist, "dist"}, {page, "page"}} {
		sub, err := fs.Sub(dir.fs, dir.name)
		if err != nil {
			panic(err) // the name is a constant
		}
		if _, err := fs.Stat(sub, "index.html"); !errors.Is(err, fs.ErrNotExist) {
			return sub
		}
	}
	panic("no page is embedded")
}
