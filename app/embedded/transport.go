package embedded

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// transport answers requests by calling a handler in process. Bodies are streamed both ways: nothing is buffered here.
//
//	client ──request──► RoundTrip ──go──► handler
//	   ◄── response ◄── header() ◄── WriteHeader
//	   ◄── body ◄────── io.Pipe ◄──── Write (blocks until read, fails when the request or the body is given up)
type transport struct {
	handler http.Handler
	ctx     context.Context // ends with close: the handlers' base, as http.Server has one
	cancel  context.CancelFunc

	mu      sync.Mutex // guards closed, and running against growing after close
	closed  bool
	running sync.WaitGroup
}

var _ http.RoundTripper = (*transport)(nil)

func newTransport(h http.Handler) *transport {
	ctx, cancel := context.WithCancel(context.Background())
	return &transport{handler: h, ctx: ctx, cancel: cancel}
}

// RoundTrip returns as soon as the handler has written its header, or the request's context ends.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	if !t.begin() {
		body.Close()
		return nil, fmt.Errorf("InfluxDB: %w", http.ErrServerClosed)
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(t.ctx, cancel)
	w := newResponse(ctx)
	go func() {
		defer t.running.Done()
		defer stop()
		defer cancel()
		defer body.Close()
		defer w.finish()
		in := r.Clone(ctx)
		in.Body = body
		in.RequestURI = r.URL.RequestURI()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.begun:
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: w.read, ContentLength: -1, Request: r,
	}, nil
}

func (t *transport) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.running.Add(1)
	return true
}

// close refuses new requests, cancels those being served, and waits for their handlers.
func (t *transport) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.running.Wait()
}

// response is the handler's side of one exchange. Only the handler's goroutine calls its methods.
type response struct {
	header http.Header
	begun  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header // header as it was when the status was written

	read  *io.PipeReader
	write *io.PipeWriter
	gone  chan bool // see CloseNotify
	stop  func() bool
}

func newResponse(ctx context.Context) *response {
	w := &response{header: http.Header{}, begun: make(chan struct{}), gone: make(chan bool, 1)}
	w.read, w.write = io.Pipe()
	w.stop = context.AfterFunc(ctx, func() {
		w.write.CloseWithError(context.Cause(ctx))
		w.gone <- true
	})
	return w
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status, w.sent = status, w.header.Clone()
	close(w.begun)
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.write.Write(p)
}

// Flush sends the header; what is written is never held back.
func (w *response) Flush() { w.WriteHeader(http.StatusOK) }

// CloseNotify is how InfluxDB's query handler learns that nobody waits for the answer any more.
func (w *response) CloseNotify() <-chan bool { return w.gone }

// finish ends the body. It comes before the context is cancelled, so a complete body ends with io.EOF.
func (w *response) finish() {
	w.stop()
	w.WriteHeader(http.StatusOK)
	w.write.Close()
}
