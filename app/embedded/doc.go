// Package embedded runs, inside this process and on one data directory, the servers that linli needs: nats-server with JetStream
// and its MQTT listener, and InfluxDB. Only MQTT listens. It also keeps a second process off the directory and refuses to open
// the streams under a wrong clock, which would expire them.
//
// It decides who may connect and what each connection may do. It must not know what roles do with their connections, how devices
// are registered, or what messages contain.
package embedded
