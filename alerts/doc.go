// Package alerts decides when somebody must be told: the rule language, the engine that judges readings and events by it, and
// the role that reads the bus, keeps the engine's state in CORE and writes every transition there exactly once.
//
// It must not know MQTT, databases, HTTP or how people are reached.
//
// # From a reading to an alert
//
//	READINGS line ─► series ─► cell, one per rule [and field] and series ─► episode, one per rule and identity ─► bus.Alert
//	EVENTS line ──────────────────────────────────────────────────────────►    (event rules, and state rules that name events)
//	silence ─► watch, one per absence rule and identity of the inventory ─►
//	a first, and its second or none in time ─► sequence, one per sequence rule and identity ─►
//
// A cell is a small machine. Its condition is true, false or unknown at every reading; unknown moves nothing.
//
//	        true                    since + for reached
//	idle ─────────► pending ─────────────────────────────► firing
//	 ▲    false        │                                     │
//	 └─────────────────┘◄────────────────────────────────────┘ clear is true
//
// Readings are judged at their own time, or at the time of receipt if that is earlier. A reading older than the newest one
// judged by a cell neither extends nor satisfies a for, and clears nothing; a life-safety rule without a for still opens by it.
//
// A for completes at since + for, on either of two ways that give the same alert: the first later reading of the cell, or the
// engine's clock while the signals are fresh. That clock is the receive time of the readings stream; only when the stream is
// read to its end is it the wall clock. So a backlog is judged as it would have been live, and a restart changes nothing.
//
// # Alerts
//
//	opened ─► acknowledged ─► cleared ─► closed     any of the middle ones may be left out
//
// At most one alert of an episode is not closed. What closes one:
//   - a person's action; nothing else closes a latched one, and that needs a disposition;
//   - being both acknowledged and cleared;
//   - 24 h after it cleared without an answer;
//   - a new alert of the same episode, when it was cleared.
//
// A rule with levels has one alert, as severe as the most severe level that fires: see Level.
//
// What clears and comes back within 15 min is the same alert again, reopened; a person may reopen one too.
//
// An event does not say when it is over: an alert of an event rule that is not latched clears 24 h after its last event, or with
// the event that the rule names in cleared_by.
//
// # Who is told
//
//	plan (plans.yaml) ─ frozen into the alert when it opens ─► ladder: step, wait, step, wait, … unanswered ─► again
//	                                                             │ targets are resolved when a step runs
//	                                                             ▼
//	                          AlertEvent.Tell: who is told, and who is not and why ─► notify
//
// An acknowledgement stops the ladder, and is void when its author gives no sign for a while. A second call for help and a step
// that reaches nobody run the next step at once. Steps are records of the alert and run by the server's clock, never before
// everything that came in earlier is judged; what is overdue after a restart runs together.
//
// Nobody is told of what is late, synthetic, silenced, in maintenance, being commissioned, flapping, or the effect of another alert;
// the alert says so, and is told when that ends and it is still true. A recipient alone can be kept from being told: at rest, or in a
// storm of alerts. A digest names those alerts later, and one message says when all of them are over. What repeats at a time of day is
// told by digests too. Life-safety is held back by nothing but its lateness, a commissioning of its
// device, or a confirmed silence of one device or person.
package alerts
