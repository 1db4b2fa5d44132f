package devices

// Code is a fixed word for what is wrong with a message, a reading or a field.
type Code string

// What the decoder finds. Package ingest adds what is wrong with a topic or an identity.
const (
	BadJSON      Code = "json"          // the payload is not UTF-8, not JSON, nested too deep, or neither an object nor an array of objects
	BadCount     Code = "count"         // no reading, or more than MaxReadings
	BadTime      Code = "timestamp"     // ts is no time, or outside what is accepted
	BadTag       Code = "tag"           // a series tag is not one of its values or no identifier: the series is unknown
	DuplicateKey Code = "duplicate_key" // a known name is there twice
	NoField      Code = "no_field"      // no known field with a usable value is left
	BadField     Code = "field"         // a field was left out: wrong type, out of range, not in the enum, or unusable text
	UnknownEvent Code = "unknown_event" // the type has no such event
)

// Outcome is what became of one message. Its slices are valid until the next call of the Decoder.
type Outcome struct {
	// Code says why the whole message is rejected, and Reason what and where; empty if it was accepted. Only a life-safety event
	// has a line nevertheless.
	Code   Code
	Reason string

	Readings []Reading // what became of each reading or of the event, in the order of the payload
	Faults   []Fault   // what was rejected or left out of an accepted message; at most MaxFaults
	Unknown  [][]byte  // names that the type does not have; at most MaxFaults
}

// MaxFaults bounds the lists of an Outcome.
const MaxFaults = 16

// Reading is one reading or event that was read.
type Reading struct {
	// The line is in the output from Start to End; none if they are equal: rejected.
	Start, End int
	// Key is the same for the same reading wherever and whenever it is decoded: of device, series, ts and seq (or the bytes).
	Key uint64
	// Series stands for device and series tags; 0 without series tags.
	Series uint64
	// Identified is true if the payload has ts or seq. Otherwise two equal payloads may be two readings.
	Identified bool
}

// Fault is a reading that was rejected, or a field that was left out of one.
type Fault struct {
	Reading int    // its number in the payload, from 0
	Field   string // empty: the whole reading
	Code    Code
	Reason  string
}
