// Package notify tells people of alerts. It reads what happens to alerts from CORE, makes one delivery for each recipient that an
// event names, and tries each delivery until its channel has taken it or nobody needs it any more.
//
//	core.alert_event ──► intake ──► delivery record: pending (life-safety: sending) ──► acknowledged
//	                                      │ lane of the channel: life-safety, ordinary
//	                                      ▼ is it needed (need)? may it go out (governor)?
//	                 sending ──► channel ──► accepted ──► receipt, callback: delivered, acted, failed
//	                    ▲          ├─ error ──► pending, later again
//	                    │          └─ takes long, or failed for good ──► the recipient's next address ──► … ──► unreached
//	                    └── found at start-up: in doubt; the provider is asked, or the same id and bytes go out again
//
// A delivery's id is a function of alert, event, recipient and address, and its record is written before anything is sent. So a
// delivery is never forgotten, and a receiver that remembers ids never acts twice; one that does not reads that it may be a repeat.
//
// Whom an event is told to is decided by alerts, see bus.AlertEvent. News of an alert goes to those alone who were told of it, and
// each message waits for the one before it of the same alert to the same address. No alert waits for another one, and life-safety
// has workers and a share of every quota of its own.
//
// An address that takes longer than patience is not given up: it is tried on while the next one is tried too, until one of them has
// taken the message. What a delivery stands for is in its record: who was told, over what, and why not. Who is not told at all, and
// why, is in the AlertEvent.
//
// The package knows alerts as records and how channels speak. It must not know rules, readings or who may see what.
package notify
