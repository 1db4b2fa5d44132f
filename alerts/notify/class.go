package notify

import (
	"errors"
	"fmt"
	"time"
)

// Class says what an error of a channel means for the delivery.
type Class string

const (
	Retry       Class = "retry"        // the network, a 5xx: the message did not arrive, later it may
	RateLimited Class = "rate_limited" // the provider wants to be left alone
	Auth        Class = "auth"         // it does not know us: an operator has to mend the settings
	BadTarget   Class = "bad_target"   // nobody is there: for good
	BadMessage  Class = "bad_message"  // it does not take such a message: for good
	InDoubt     Class = "in_doubt"     // no answer after the message had gone out: it may have arrived
)

// SendError is what a channel returns when a message was not taken. Any other error counts as Retry.
type SendError struct {
	Class   Class
	Code    string        // the provider's
	After   time.Duration // RateLimited, Retry: not before
	Account bool          // RateLimited: the whole account is meant, not this address alone
	Err     error
}

func (e *SendError) Error() string { return e.Err.Error() }

func (e *SendError) Unwrap() error { return e.Err }

// refuse makes a SendError.
func refuse(c Class, code, format string, a ...any) *SendError {
	return &SendError{Class: c, Code: code, Err: fmt.Errorf(format, a...)}
}

// classOf is the class of an error; empty for nil.
func classOf(err error) Class {
	var e *SendError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Class
	}
	return Retry
}

// Permanent reports whether trying again cannot mend an error.
func Permanent(err error) bool {
	c := classOf(err)
	return c == BadTarget || c == BadMessage
}

// retryAfter is how long the other side wants to be left alone.
func retryAfter(err error) time.Duration {
	var e *SendError
	if !errors.As(err, &e) {
		return 0
	}
	if e.Class == RateLimited && e.After == 0 {
		return time.Minute
	}
	return min(e.After, time.Hour)
}
