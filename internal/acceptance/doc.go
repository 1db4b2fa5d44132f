// Package acceptance tests the built binary from outside, with real programs: mosquitto_pub, a load process, SIGKILL. Its tests
// read as stories; it imports none of our packages.
package acceptance
