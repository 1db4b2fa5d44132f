package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// smallest is the answer that is worth compressing.
const smallest = 1 << 10

// compress is made once: it keeps the writers of all routes.
var compress = func() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(smallest), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap
}()

// compressed reports whether a route's answers are. The lengths of compressed answers can give away a secret beside text that somebody
// else has chosen, so none is compressed that holds one: what changes something, such as a login or a new device's secret, and what is
// marked so. A stream waits for nobody's buffer.
func (r *route) compressed() bool {
	text := r.out != nil || r.outType == "application/json" || strings.HasPrefix(r.outType, "text/csv")
	return r.method == http.MethodGet && text && !r.public && !r.secret && r.timeout != forever
}

// lasting is an answer that stays the same while the server runs.
type lasting struct {
	body []byte
	tag  string
}

func newLasting(body []byte) lasting {
	sum := sha256.Sum256(body)
	return lasting{body, `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`} // weak: compressed or not
}

// reply sends the answer, unless who asks has it already.
func (l lasting) reply(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", l.tag)
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimSpace(known); known == l.tag || known == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Type", "application/json")
	_, err := w.Write(l.body)
	return err
}
