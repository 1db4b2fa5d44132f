package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// door is a device that carries out commands: once on an id, and it counts what it is told too late or of which it knows nothing.
type door struct {
	client mqtt.Client

	mu   sync.Mutex     // guards what follows
	told map[string]int // how often, by id
	late []string       // ids that came after their time
}

// openDoor connects the door, which comes back by itself when the broker is gone for a while.
func openDoor(t *testing.T, broker string, c credentials) *door {
	t.Helper()
	d := &door{told: map[string]int{}}
	state, reply := strings.Replace(c.Topic, "/telemetry/", "/state/", 1), strings.Replace(c.Topic, "/telemetry/", "/reply/", 1)
	o := mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(c.ID).SetUsername(c.ID).SetPassword(c.Secret)
	o.SetCleanSession(true).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).SetMaxReconnectInterval(200 * time.Millisecond)
	o.SetProtocolVersion(4).SetConnectTimeout(time.Second).SetOrderMatters(false).SetWill(state, "offline", 1, true)
	o.SetOnConnectHandler(func(client mqtt.Client) {
		client.Subscribe("linli/command/+/+/"+c.ID+"/+", 0, func(client mqtt.Client, m mqtt.Message) {
			var head struct {
				ID      string
				Expires time.Time
			}
			if err := json.Unmarshal(m.Payload(), &head); err != nil {
				t.Errorf("%s: %v", m.Payload(), err)
			}
			d.mu.Lock()
			d.told[head.ID]++
			if time.Now().After(head.Expires) {
				d.late = append(d.late, head.ID)
			}
			d.mu.Unlock()
			client.Publish(reply, 1, false, fmt.Sprintf(`{"id":%q,"state":"done"}`, head.ID))
		})
		client.Publish(state, 1, true, "online")
	})
	d.client = mqtt.NewClient(o)
	d.client.Connect()
	t.Cleanup(func() { d.client.Disconnect(0) })
	return d
}

// commanded is a server that is killed while its devices are commanded.
type commanded struct {
	*server
	victim
}

// revive starts the server again if it has died.
func (c *commanded) revive() {
	select {
	case <-c.gone:
		c.victim.start(c.t, "")
		c.await(30*time.Second, "ready", c.ready)
	default:
	}
}

// ask sends a command until the server says that it has it, and returns its id.
func (c *commanded) ask(device, key, body string) (id string) {
	c.t.Helper()
	token, err := os.ReadFile(filepath.Join(c.data, "admin.token"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.await(30*time.Second, "asked", func() bool {
		c.revive()
		req, err := http.NewRequestWithContext(c.t.Context(), "POST", c.url("/api/v1/devices/"+device+"/commands"), bytes.NewReader([]byte(body)))
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		req.Header.Set("Idempotency-Key", key)
		r, err := c.client.Do(req)
		if err != nil {
			return false
		}
		defer r.Body.Close()
		var answer struct{ ID, Detail string }
		if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || r.StatusCode >= 500 {
			return false
		}
		if r.StatusCode != http.StatusAccepted {
			c.t.Fatalf("%s: %s", r.Status, answer.Detail)
		}
		id = answer.ID
		return true
	})
	return id
}

// states are the states of a device's commands, by id.
func (c *commanded) states(device string) map[string]string {
	var list struct{ Commands []struct{ ID, State string } }
	all := map[string]string{}
	if err := c.get("/api/v1/devices/"+device+"/commands", &list); err == nil {
		for _, x := range list.Commands {
			all[x.ID] = x.State
		}
	}
	return all
}

// The server dies at the worst moments while a door is commanded. Every command that was asked for is carried out and known as done,
// under one id; and a door that was away while the server died is not opened after the time of the command.
func TestNoCommandIsLostOrLateWhateverIsKilled(t *testing.T) {
	linli := buildFor(t, "linli", "-tags", "failpoints", "linli/cmd/linli")
	everyMoment := []string{
		"web after asking:1", "ingest before sending a command:1", "ingest after sending a command:1", "ingest after noting a command:1",
		"ingest after noting a command:2",
	}
	t.Run("embedded broker", func(t *testing.T) {
		s := newServer(t)
		playCommands(t, s, linli, s.mqtt, everyMoment[2:3])
	})
	t.Run("mosquitto", func(t *testing.T) {
		broker := startMosquitto(t).addr
		playCommands(t, newServer(t, "--mqtt-url", "tcp://"+broker), linli, broker, everyMoment)
	})
}

func playCommands(t *testing.T, s *server, linli, broker string, moments []string) {
	c := &commanded{server: s, victim: victim{name: "linli", log: s.logs, make: func() *exec.Cmd {
		return exec.Command(linli, append([]string{"serve", "--data", s.data, "--http", s.http, "--mqtt", s.mqtt}, s.args...)...)
	}}}
	c.victim.start(t, "")
	t.Cleanup(func() { c.victim.kill() })
	c.await(30*time.Second, "ready", c.ready)
	c.linli("communities", "add", "--id", "garden", "--name", "花园小区")
	credentials := c.addDevice("garden", "access_controller", "door-1")
	d := openDoor(t, broker, credentials)

	asked := map[string]bool{}
	for round, moment := range moments {
		c.victim.kill()
		c.victim.start(t, moment)
		c.await(30*time.Second, "ready", func() bool { c.revive(); return c.ready() })
		for n := range 3 {
			asked[c.ask("door-1", fmt.Sprintf("%d-%d", round, n), `{"command":"unlock","params":{"seconds":5,"reason":"test"}}`)] = true
		}
		c.await(30*time.Second, "done after "+moment, func() bool {
			c.revive()
			done := 0
			for _, state := range c.states("door-1") {
				if state == "done" {
					done++
				}
			}
			return done == len(asked)
		})
	}
	if len(asked) != 3*len(moments) {
		t.Errorf("%d ids for %d commands", len(asked), 3*len(moments))
	}

	d.client.Publish(strings.Replace(credentials.Topic, "/telemetry/", "/state/", 1), 1, true, "offline").Wait()
	d.client.Disconnect(200)
	stale := c.ask("door-1", "stale", `{"command":"unlock","params":{"seconds":5,"reason":"test"},"ttl_s":2}`)
	c.victim.kill()
	c.revive()
	c.await(30*time.Second, "expired", func() bool { return c.states("door-1")[stale] == "expired" })
	back := openDoor(t, broker, credentials)
	last := c.ask("door-1", "last", `{"command":"lockdown"}`)
	c.await(30*time.Second, "done", func() bool { return c.states("door-1")[last] == "done" })

	repeats := 0
	for _, d := range []*door{d, back} {
		d.mu.Lock()
		for id, n := range d.told {
			if !asked[id] && id != last {
				t.Errorf("the door was told %s, which nobody asked for in time", id)
			}
			repeats += n - 1
		}
		if len(d.late) > 0 {
			t.Errorf("after their time: %v", d.late)
		}
		d.mu.Unlock()
	}
	for id := range asked {
		if d.told[id] == 0 {
			t.Errorf("%s never came", id)
		}
	}
	t.Logf("%d commands, killed %d times; %d came again under their id", len(asked)+2, len(moments)+1, repeats)
}
