package alerts

import (
	"cmp"
	"fmt"

	"linli/bus"
)

// Status is nil while everything that comes in is judged and stored, and a bus.Concern if records were left out at the start or much
// waits to be judged.
func (e *Engine) Status() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status != nil {
		return e.status
	}
	return cmp.Or(e.damage.concern(), e.behind())
}

func (e *Engine) setStatus(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = err
}

// manyLeft is how many messages that wait to be judged are worth a look: smoke among them is told that much later.
const manyLeft = 1000

// behind is a bus.Concern while much waits to be judged.
func (e *Engine) behind() error {
	for _, f := range e.feeds {
		if n := f.left.Load(); n >= manyLeft {
			return bus.Concern(fmt.Sprintf("%d messages of %s wait to be judged", n, f.stream))
		}
	}
	return nil
}
