// Package notify tells people of alerts. It reads what happens to alerts from CORE, makes one delivery for each recipient, and
// tries each delivery until its channel has taken it.
//
//	core.alert_event ──► intake ──► delivery record: pending (life-safety: sending) ──► acknowledged
//	                                      │ lane of the channel: life-safety, ordinary
//	                                      ▼
//	                 sending ──► channel ──► accepted
//	                    ▲          └─ error ──► pending, later again ── permanent ──► failed
//	                    └── found at start-up: in doubt, sent again with the same id and the same bytes
//
// A delivery's id is a function of alert, event and channel, and its record is written before anything is sent. So a delivery
// is never forgotten, and a receiver that remembers ids never acts twice.
//
// People are told that an alert opened, was confirmed after it had been late, cleared, and was closed by somebody. Each message
// waits for the one before it of the same alert and channel. No alert waits for another one, and life-safety has workers of its
// own.
//
// The package knows alerts as records and how channels speak. It must not know rules, readings or who may see what.
package notify
