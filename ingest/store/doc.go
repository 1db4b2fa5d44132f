// Package store moves batches of readings and events from the bus into the time series.
//
// A message is acknowledged when the time series has confirmed its lines. What the back end's answers mean:
//
//	2xx            stored
//	400, 422       a bad line: the batch is halved until it stands alone and goes to REJECTS; the others are stored
//	413            too much at once: halved as well
//	401, 403, 404  wrong settings: nothing is taken any more, Status and the log say so, and it is tried again
//	429, 503       busy: tried again when the back end wants it
//	anything else  fate unknown: tried again for ever; a line that is written twice is stored once
//
// While a batch is not stored nothing further is taken, so an absent back end costs no memory: the bus holds the backlog.
//
// The package knows line protocol only as lines. It must not know types, rules or MQTT.
package store
