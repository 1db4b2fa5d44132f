// Package devices is the vocabulary of linli: device types and their catalogue, topics, payloads, readings and events as line
// protocol, and the registry of communities, places, devices and people.
//
// It decides what a byte string from a device means. It must not know MQTT clients, streams other than the registry's key-value
// bucket, databases, rules or people's phones.
package devices
