package alerts

// dueQueue has the earliest entry first.
type dueQueue[T any] []dueEntry[T]

type dueEntry[T any] struct {
	due  int64 // ms
	what T
}

func (q *dueQueue[T]) push(due int64, what T) {
	a := append(*q, dueEntry[T]{due, what})
	*q = a
	for i := len(a) - 1; i > 0; {
		parent := (i - 1) / 2
		if a[parent].due <= a[i].due {
			return
		}
		a[parent], a[i] = a[i], a[parent]
		i = parent
	}
}

// pop takes the earliest entry out, if it is due at now.
func (q *dueQueue[T]) pop(now int64) (due int64, what T, ok bool) {
	a := *q
	if len(a) == 0 || a[0].due > now {
		return 0, what, false
	}
	top, n := a[0], len(a)-1
	a[0], a[n] = a[n], dueEntry[T]{}
	a = a[:n]
	*q = a
	for i := 0; ; {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < n && a[child].due < a[least].due {
				least = child
			}
		}
		if least == i {
			return top.due, top.what, true
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
}
