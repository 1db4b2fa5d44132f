// Package simulate plays devices: it publishes over real MQTT, with real credentials, what the catalogue's simulation blocks say
// that devices of a type send.
//
//	seeds ──► World ──► Simulator ──► one link a gateway or device ──MQTT──► broker
//	catalogue ─┘ (pure)     │ faults
//	                        └──► History: what lies before now, straight to the series
//
// A World is a pure function: every value is computed from a seed, a device and a time, and nothing is remembered between two
// readings. So a day of all sites is reproducible from (seed, date), may be entered at any moment and costs no memory per value.
// Weather is shared by the devices of a community and presence by those of a home.
//
// A Scenario is a script with ground truth: which alerts its readings must open, and which must stay closed.
//
// The package knows topics, payloads and an MQTT client. It must not know streams, databases, the registry or how rules are judged.
package simulate
