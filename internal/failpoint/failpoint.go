//go:build !failpoints

// Package failpoint names the moments at which a crash would hurt most. A binary built with the tag failpoints kills itself with
// SIGKILL at one of them, for the chaos test; any other binary passes over them at no cost.
package failpoint

// Hit is such a moment.
func Hit(string) {}
