package ingest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"math/bits"

	"linli/bus"
	"linli/devices"
)

// rejected is an entry of the reject list.
type rejected struct {
	entry
	code devices.Code
}

// reject makes the entry of a message. Equal bytes rejected again within minutes are one entry.
func (l *lane) reject(b *burst, m *message, from source, no refusal) rejected {
	community := bus.UnknownCommunity
	switch {
	case from.device != nil:
		community = from.device.Community
	case l.registry.Community(from.topic.Community) != nil:
		community = from.topic.Community
	}
	data, err := json.Marshal(bus.Reject{
		Received: b.received.UTC(), Source: bus.SourceIngest, Topic: string(m.topic), Community: community, Device: from.topic.Device,
		Code: string(no.code), Reason: no.reason, Raw: m.payload,
	})
	if err != nil {
		panic(err) // nothing in a Reject can fail to marshal
	}
	id := "reject-" + string(no.code) + "-" + fingerprint(m)
	if b.replay {
		id += "-" + rand.Text() // the entry it replaces is deleted
	}
	return rejected{entry{bus.RejectsSubject(community), id, data}, no.code}
}

// reject adds an entry.
func (s *shipment) reject(r rejected) {
	s.rejects = append(s.rejects, r.entry)
	s.counts.codes[r.code]++
}

// fingerprint stands for the topic and payload of a message.
func fingerprint(m *message) string {
	h := sha256.New()
	h.Write(m.topic)
	h.Write([]byte{0})
	h.Write(m.payload)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// unknownFields counts the fields that devices send and their types do not have. It remembers so many; others are only in the metric.
type unknownFields struct {
	log  *slog.Logger
	seen map[unknownField]int
}

type unknownField struct{ device, field string }

const maxUnknownFields = 10_000

// add logs the first of its kind and then every time the count has doubled.
func (u *unknownFields) add(device string, field []byte) {
	n := u.seen[unknownField{device, string(field)}] + 1
	if n == 1 && len(u.seen) >= maxUnknownFields {
		return
	}
	u.seen[unknownField{device, string(field)}] = n
	if bits.OnesCount(uint(n)) == 1 {
		u.log.Info("unknown field", "device", device, "field", string(field), "count", n)
	}
}
