// Package ingest moves what devices publish from the MQTT broker to the bus: readings decoded and in batches, events one by one, and
// what cannot be read to the reject list. The other way it sends devices their commands, see dispatcher.
//
// It knows MQTT, the bus and the vocabulary of devices. It must not know databases, rules or people.
//
// # Outcomes
//
// Every message is acknowledged, once everything that its row says is stored. "Message" and "part" are how it is counted in the metrics:
// a message is accepted or rejected; each reading of an accepted one, or the event in it, is stored, duplicate or rejected. "Reject"
// is the code of the entry in the reject list, which keeps the raw bytes, the topic and the reason.
//
//	what comes                                              | message  | part      | reject
//	readings: usable                                        | accepted | stored    | -
//	readings: of a health type                              | accepted | stored    | -
//	readings: a life-safety type on the safety lane         | accepted | stored    | -
//	readings: same series, ts and seq (or bytes) again      | accepted | duplicate | -
//	readings: retained by the broker, without ts and seq    | accepted | duplicate | -
//	readings: unknown field                                 | accepted | stored    | -
//	readings: field of a wrong type, without the field      | accepted | stored    | field
//	readings: field out of range, without the field         | accepted | stored    | field
//	readings: no usable field                               | accepted | rejected  | no_field
//	readings: known name twice                              | accepted | rejected  | duplicate_key
//	readings: ts unusable, 7 days old or 5 minutes ahead    | accepted | rejected  | timestamp
//	readings: series tag not one of its values or no id     | accepted | rejected  | tag
//	readings: more combinations of series tags than allowed | accepted | rejected  | series_limit
//	readings: payload not UTF-8, not JSON or nested deep    | rejected | -         | json
//	readings: none or more than 1000                        | rejected | -         | count
//	readings: another type on the safety lane               | rejected | -         | lane
//	event: usable, or empty                                 | accepted | stored    | -
//	event: same bytes again, with ts or seq                 | accepted | duplicate | -
//	event: same bytes again within 10 s, without ts and seq | accepted | duplicate | -
//	event: retained by the broker, without ts and seq       | accepted | duplicate | -
//	event: unusable field, without the field                | accepted | stored    | field
//	event: payload not UTF-8, not JSON or no object         | rejected | -         | json
//	event: known name twice                                 | rejected | -         | duplicate_key
//	event: ts unusable, 7 days old or 5 minutes ahead       | rejected | -         | timestamp
//	event: the type has no such event                       | rejected | -         | unknown_event
//	life-safety event: unreadable payload, marked so        | accepted | stored    | json
//	life-safety event: ts unusable, at the time received    | accepted | stored    | timestamp
//	life-safety event: wrong community, under the right one | accepted | stored    | community
//	life-safety event: wrong type, under the right one      | accepted | stored    | type
//	life-safety event: of a revoked device                  | rejected | -         | revoked
//	state: online or offline, and it was not                | accepted | stored    | -
//	state: as it was                                        | accepted | duplicate | -
//	state: another word                                     | rejected | -         | state
//	reply: usable                                           | accepted | stored    | -
//	reply: unreadable payload                               | rejected | -         | json
//	any: payload larger than 64 KiB                         | rejected | -         | oversize
//	any: topic of no known form                             | rejected | -         | topic
//	any: unknown device                                     | rejected | -         | unknown_device
//	any: revoked or replaced device                         | rejected | -         | revoked
//	any: device of a type that the catalogue lacks          | rejected | -         | unknown_type
//	any: device of another community                        | rejected | -         | community
//	any: device of another type                             | rejected | -         | type
package ingest
