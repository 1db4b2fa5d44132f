package alerts

// timer is the end of a for. It counts only while the cell still waits for just that.
type timer struct {
	due    int64
	series *series
	bound  int
}

// before is the order of timers: of levels that are due together the most severe comes first, and of series the same on every replay.
func (t *timer) before(u *timer) bool {
	switch {
	case t.due != u.due:
		return t.due < u.due
	case t.bound != u.bound:
		return t.bound < u.bound
	}
	return t.series.key < u.series.key
}

// timerHeap has the earliest timer first.
type timerHeap []timer

func (h *timerHeap) push(t timer) {
	a := append(*h, t)
	*h = a
	for i := len(a) - 1; i > 0; {
		parent := (i - 1) / 2
		if !a[i].before(&a[parent]) {
			return
		}
		a[parent], a[i] = a[i], a[parent]
		i = parent
	}
}

func (h *timerHeap) pop() timer {
	a := *h
	top := a[0]
	n := len(a) - 1
	a[0], a[n] = a[n], timer{}
	a = a[:n]
	*h = a
	for i := 0; ; {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < n && a[child].before(&a[least]) {
				least = child
			}
		}
		if least == i {
			return top
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
}
