package embedded

import (
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"

	"linli/bus"
	"linli/devices"
)

const (
	roleCallout = "callout"
	roleSetup   = "setup"
)

// roles says what the connection of each role may do; whatever is not listed is refused. Only setup makes and purges streams.
var roles = map[string]func(*grants){
	roleCallout: func(g *grants) { g.answer(server.AuthCalloutSubject) },
	roleSetup:   func(g *grants) { g.publish("$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>") },
	"ingest": func(g *grants) {
		g.publish("readings.>", "events.>", "rejects.>", "commands.>")
		g.consume(bus.Commands, bus.Events)
		g.follow(bus.RegistryBucket)
		g.edit(bus.SettingsBucket)
		g.read(bus.Rejects)
		g.delete(bus.Rejects)
	},
	"store": func(g *grants) {
		g.publish("rejects.>")
		g.consume(bus.Readings, bus.Events)
		g.follow(bus.RegistryBucket)
		g.edit(bus.SettingsBucket)
		g.read(bus.Rejects)
		g.delete(bus.Rejects)
	},
	"alerts": func(g *grants) {
		g.publish("core.>")
		g.deny("core.delivery.>")
		g.consume(bus.Readings, bus.Events, bus.Actions, bus.Core)
		g.follow(bus.RegistryBucket, bus.PeopleBucket, bus.SettingsBucket)
	},
	"notify": func(g *grants) {
		g.publish("core.delivery.>", "actions.>")
		g.consume(bus.Core, bus.Actions)
		g.follow(bus.RegistryBucket, bus.PeopleBucket)
		g.edit(bus.SettingsBucket)
	},
	"watch": func(g *grants) { g.consume(bus.Core) },
	"web": func(g *grants) {
		g.publish("actions.>", "commands.>", "audit.>")
		g.consume(bus.Core, bus.Commands, bus.Rejects, bus.Events, bus.Audit)
		g.read(bus.Readings, bus.Actions)
		g.edit(bus.RegistryBucket, bus.PeopleBucket, bus.UsersBucket, bus.SessionsBucket, bus.SettingsBucket)
	},
}

// grants collects the subjects that a role may use.
type grants struct {
	allowed, denied, subscribed []string
	answers                     bool
}

func (g *grants) publish(subjects ...string) { g.allowed = append(g.allowed, subjects...) }

func (g *grants) deny(subjects ...string) { g.denied = append(g.denied, subjects...) }

// answer lets the role serve requests on a subject.
func (g *grants) answer(subject string) {
	g.subscribed = append(g.subscribed, subject)
	g.answers = true
}

// read lets the role fetch single messages of streams.
func (g *grants) read(streams ...string) {
	for _, s := range streams {
		g.publish("$JS.API.STREAM.INFO."+s, "$JS.API.STREAM.MSG.GET."+s, "$JS.API.DIRECT.GET."+s, "$JS.API.DIRECT.GET."+s+".>")
	}
}

// consume lets the role read streams and have consumers on them.
func (g *grants) consume(streams ...string) {
	g.read(streams...)
	for _, s := range streams {
		g.publish("$JS.API.CONSUMER.CREATE."+s+".>", "$JS.API.CONSUMER.INFO."+s+".>", "$JS.API.CONSUMER.DELETE."+s+".>",
			"$JS.API.CONSUMER.MSG.NEXT."+s+".>", "$JS.ACK."+s+".>", "$JS.FC."+s+".>")
	}
}

// delete lets the role delete single messages of a stream.
func (g *grants) delete(stream string) { g.publish("$JS.API.STREAM.MSG.DELETE." + stream) }

// follow lets the role read and watch buckets.
func (g *grants) follow(buckets ...string) {
	for _, b := range buckets {
		g.consume("KV_" + b)
	}
}

// edit lets the role read, watch and change buckets.
func (g *grants) edit(buckets ...string) {
	g.follow(buckets...)
	for _, b := range buckets {
		g.publish("$KV." + b + ".>")
	}
}

// permissions of a role. Every list has an entry: an empty one would allow everything.
func (g *grants) permissions(inbox string) *server.Permissions {
	p := &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: g.allowed, Deny: g.denied},
		Subscribe: &server.SubjectPermission{Allow: append(g.subscribed, inbox+".>")},
	}
	if g.answers {
		p.Response = &server.ResponsePermission{MaxMsgs: 1, Expires: loginTimeout * time.Second}
	}
	if len(g.allowed) == 0 && !g.answers {
		p.Publish.Deny = []string{">"}
	}
	return p
}

// allowDevice adds what a device may do under its own id. Community and type are wildcards: a message under wrong ones is to reach
// ingest, which rejects it visibly, instead of being dropped here after its acknowledgement. So is the lane, because the server
// keeps every entry for as long as a gateway is connected, and a gateway has hundreds of devices: what is on none of ingest's lanes
// reaches nobody, and commands are denied to all, see denyCommands.
func allowDevice(p *jwt.Permissions, root, id string) {
	p.Pub.Allow.Add(root+".*.*.*."+id, root+"."+string(devices.EventLane)+".*.*."+id+".*")
	// A filter that ends in /# also subscribes to the level above.
	commands := root + "." + string(devices.CommandTo) + ".*.*." + id
	p.Sub.Allow.Add(commands, commands+".>")
}

// denyCommands keeps devices from commanding, themselves too.
func denyCommands(p *jwt.Permissions, root string) {
	p.Pub.Deny.Add(root + "." + string(devices.CommandTo) + ".>")
}

// allowProbe lets the probe press its button and do nothing else.
func allowProbe(p *jwt.Permissions, root string) {
	d := devices.Probe
	p.Pub.Allow.Add(strings.Join([]string{root, string(devices.EventLane), d.Community, d.Type, d.ID, devices.ProbeEvent}, "."))
	p.Sub.Deny.Add(">")
}

// allowIngest lets ingest read what devices send and send commands.
func allowIngest(p *jwt.Permissions, root string) {
	for _, lane := range []devices.Lane{devices.Telemetry, devices.Safety, devices.EventLane, devices.StateLane, devices.ReplyLane} {
		p.Sub.Allow.Add(root+"."+string(lane), root+"."+string(lane)+".>")
	}
	p.Pub.Allow.Add(root + "." + string(devices.CommandTo) + ".>")
}
