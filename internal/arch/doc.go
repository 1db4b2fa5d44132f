// Package arch holds the test that keeps the architecture: which package may import which, and that every package says what it
// is for. It has no code of its own.
package arch
