package bus

import "errors"

// Concern is a state that a person should look at although the role keeps its promise: who reports it is ready. A role that has
// broken its promise as well reports only that.
type Concern string

func (c Concern) Error() string { return string(c) }

// Concern tells it from other errors. Packages that bus itself needs have a type of their own with this method.
func (c Concern) Concern() {}

// Broken reports whether a state is worse than a concern.
func Broken(status error) bool {
	var c interface{ Concern() }
	return status != nil && !errors.As(status, &c)
}
