package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

// raw sends a request that takes gzip, and returns the answer with its body as it came.
func (s *site) raw(method, path, body string, headers ...string) (status int, header http.Header, answer string) {
	s.Helper()
	r := s.request(method, path, body, append(headers, "Accept-Encoding", "gzip")...)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestAnswersAreCompressed(t *testing.T) {
	s := run(t, empty{})
	for _, path := range []string{"/api/v1/types", "/api/v1/openapi.json", "/api/v1/rules"} {
		_, _, plain := s.do(s.request("GET", path, "", "Accept-Encoding", "identity"))
		_, header, packed := s.raw("GET", path, "")
		if header.Get("Content-Encoding") != "gzip" || !strings.Contains(header.Get("Vary"), "Accept-Encoding") || len(packed) > len(plain)/3 {
			t.Errorf("%s: %d bytes of %d, %v", path, len(packed), len(plain), header)
		}
		z, err := gzip.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if b, err := io.ReadAll(z); err != nil || string(b) != plain {
			t.Errorf("%s: compressed it is another answer: %v", path, err)
		}
	}
	if _, header, _ := s.raw("GET", "/api/v1/communities", ""); header.Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
}

// What changes something, what says that it holds a secret, and what is public is sent as it is.
func TestNoSecretIsCompressed(t *testing.T) {
	for _, r := range routes {
		if r.compressed() && (r.method != "GET" || r.public || r.secret || r.timeout == forever) {
			t.Errorf("%s %s is compressed", r.method, r.path)
		}
	}
	s := run(t, empty{})
	_, header, _ := s.raw("POST", "/api/v1/devices", `{"id":"ws-2","community":"tianjin","type":"waste_station","name":"`+strings.Repeat("a", 2*smallest)+`"}`)
	if header.Get("Content-Encoding") != "" {
		t.Errorf("a device's secret is compressed: %v", header)
	}
	if _, header, _ := s.raw("GET", "/api/v1/channels", ""); header.Get("Content-Encoding") != "" {
		t.Error("the callbacks of channels are compressed")
	}
}

func TestWhatIsKnownIsNotSentAgain(t *testing.T) {
	s := run(t, empty{})
	_, header, _ := s.raw("GET", "/api/v1/types", "")
	tag := header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	for given, want := range map[string]int{tag: http.StatusNotModified, `"x", ` + tag: http.StatusNotModified, `W/"other"`: http.StatusOK} {
		if status, _, body := s.raw("GET", "/api/v1/types", "", "If-None-Match", given); status != want || (want == http.StatusNotModified) != (body == "") {
			t.Errorf("If-None-Match %s: %d with %d bytes, want %d", given, status, len(body), want)
		}
	}
}
