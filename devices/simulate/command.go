package simulate

import (
	"encoding/json"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"linli/devices"
)

// keptAnswers is how many commands a link remembers, so that one that comes again is not carried out again.
const keptAnswers = 256

// answer is what a device says of a command.
type answer struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// obey subscribes the link to the commands of its device and of those behind it. QoS 0: linli sends again what is not answered, and
// at QoS 1 the embedded broker keeps a consumer for every device.
func (l *link) obey(client mqtt.Client) error {
	filters := make(map[string]byte, len(l.children))
	for id := range l.children {
		filters[l.sim.cfg.Root+"/"+string(devices.CommandTo)+"/+/+/"+id+"/+"] = 0
	}
	if len(filters) == 0 {
		return nil
	}
	t := client.SubscribeMultiple(filters, func(_ mqtt.Client, m mqtt.Message) { l.command(m.Topic(), m.Payload()) })
	if !t.WaitTimeout(ackTimeout) || t.Error() != nil {
		return orTimeout(t.Error())
	}
	return nil
}

// command carries out a command, once, and puts its answer into the outbox.
func (l *link) command(topic string, payload []byte) {
	t, err := devices.ParseTopic(l.sim.cfg.Root, topic)
	actor, known := l.children[t.Device]
	if err != nil || !known {
		return
	}
	var head struct {
		ID      string
		Expires time.Time
	}
	var params map[string]any
	if json.Unmarshal(payload, &head) != nil || json.Unmarshal(payload, &params) != nil || head.ID == "" {
		l.log.Warn("unreadable command", "device", t.Device, "topic", topic)
		return
	}
	delete(params, "id")
	delete(params, "expires")
	l.answersMu.Lock()
	defer l.answersMu.Unlock()
	said, again := l.answers.Get(head.ID)
	if !again {
		said = l.sim.carryOut(actor, t.Name, head.ID, head.Expires, params)
		l.answers.Add(head.ID, said)
	}
	if said.State == "" {
		return
	}
	t.Lane, t.Name = devices.ReplyLane, ""
	data, _ := json.Marshal(said) // strings
	l.box.put(letter{t.String(l.sim.cfg.Root), data})
}

// carryOut does what a device is told and says how it went; the state is empty if it does not answer.
func (s *Simulator) carryOut(actor int32, command, id string, expires time.Time, params map[string]any) answer {
	a, now := s.world.actors[actor], s.cfg.Now()
	k := a.key.named("command").named(id)
	c := a.plan.typ.Command(command)
	failed := func(reason string) answer { return answer{id, "failed", reason} }
	switch {
	case k.named("silent").chance(s.cfg.Faults.Silent):
		return answer{}
	case c == nil:
		return failed("unknown command")
	case !now.Before(expires):
		return failed("its time is over")
	case k.named("refuse").chance(s.cfg.Faults.Refuse):
		return failed("busy")
	}
	if err := c.Check(params); err != nil {
		return failed(err.Error())
	}
	if e := a.plan.effects[command]; e != nil {
		if err := a.obey(e, params, momentOf(now)); err != nil {
			return failed(err.Error())
		}
	}
	select {
	case s.told <- actor: // to show at once what it did
	default: // the next report shows it
	}
	return answer{id, "done", ""}
}
