// Package bus is what every role publishes and consumes with: the JetStream streams and their subjects, atomic batches, the
// key-value buckets, and the records that roles exchange over them.
//
// It knows NATS and the vocabulary of devices. It must not know MQTT, databases, rules, channels or HTTP.
package bus
