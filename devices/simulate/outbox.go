package simulate

import "sync"

// letter is one message on its way to the broker.
type letter struct {
	topic   string
	payload []byte
}

// outbox holds what a link has not sent yet. When it is full the oldest letter is dropped and counted: a real device's memory
// ends too.
type outbox struct {
	limit int
	ready chan struct{} // has an element when letters wait

	mu      sync.Mutex // guards letters and dropped
	letters []letter
	dropped uint64
}

func newOutbox(limit int) *outbox { return &outbox{limit: limit, ready: make(chan struct{}, 1)} }

func (o *outbox) put(l letter) {
	o.mu.Lock()
	o.letters = append(o.letters, l)
	o.trim()
	o.mu.Unlock()
	o.wake()
}

// back returns letters that were taken but not acknowledged: they go first again.
func (o *outbox) back(letters []letter) {
	if len(letters) == 0 {
		return
	}
	o.mu.Lock()
	o.letters = append(append(make([]letter, 0, len(letters)+len(o.letters)), letters...), o.letters...)
	o.trim()
	o.mu.Unlock()
	o.wake()
}

func (o *outbox) take() (letter, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.letters) == 0 {
		return letter{}, false
	}
	l := o.letters[0]
	o.letters[0] = letter{}
	o.letters = o.letters[1:]
	return l, true
}

func (o *outbox) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.letters)
}

// drops takes the number of letters dropped since the last call.
func (o *outbox) drops() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.dropped
	o.dropped = 0
	return n
}

func (o *outbox) trim() {
	if over := len(o.letters) - o.limit; over > 0 {
		o.letters = append([]letter(nil), o.letters[over:]...)
		o.dropped += uint64(over)
	}
}

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}
