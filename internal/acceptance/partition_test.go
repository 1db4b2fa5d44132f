package acceptance

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const (
	// through is how long presses wait at most until linli has found a way past what is wrong with its wires.
	through = 30 * time.Second
	// partitioned is how long a wire stays so at least: until the servers on the lesser side have given up.
	partitioned = 25 * time.Second
)

// steer cuts the wires of linli to all servers but one until all its connections are to that one.
func (c *clustered) steer(to *natsNode) {
	c.t.Helper()
	want := 0
	for _, n := range c.nodes {
		want += n.door.load()
	}
	for _, n := range c.nodes {
		if n != to {
			n.door.set(cut)
		}
	}
	c.await(30*time.Second, "on "+to.name, func() bool { return to.door.load() >= want && c.up() })
	for _, n := range c.nodes {
		n.door.set(sound)
	}
}

// others are all servers but one.
func (c *clustered) others(than *natsNode) []*natsNode {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(n *natsNode) bool { return n == than })
}

// isolate makes something wrong with all wires between a server and the others, or nothing.
func (c *clustered) isolate(one *natsNode, f fault) {
	for _, n := range c.others(one) {
		n.routes[one.name].set(f)
		one.routes[n.name].set(f)
	}
}

// mustRun ends the test if linli has ended.
func (c *clustered) mustRun() {
	select {
	case <-c.linli.gone:
		c.t.Fatal("linli has ended")
	default:
	}
}

// heardAfter reports whether a press was heard that was made after a moment.
func (c *clustered) heardAfter(at time.Time) bool {
	c.mustRun()
	a := c.load.account()
	for device := range openings(c.hook) {
		if e := a[device][0]; e != nil && time.UnixMicro(e.sentAt).After(at) {
			return true
		}
	}
	return false
}

// Wires are cut under load, and nobody is told: those between the server that leads and the two others, while linli is connected to it;
// those between linli and its server; and one way of them. While it is so, linli finds another way and presses are heard. What was
// acknowledged is stored once, and whoever pressed is heard once.
func TestClusterWhateverWireIsCut(t *testing.T) {
	if *chaos < 100 {
		t.Skip("takes half a minute a wire: make chaos")
	}
	c := startClustered(t, "200", "2s")
	answered := c.answer(c.hook)
	door := func(n *natsNode, f fault) { n.door.set(f) }
	rounds := []struct {
		name string
		set  func(*natsNode, fault)
		to   fault
	}{
		{"who leads, from the others", c.isolate, held},
		{"linli, from its server", door, forgotten},
		{"what comes from its server", door, heldFrom},
		{"what goes to its server", door, heldTo},
	}
	var cuts []trouble
	for n := range max(len(rounds), *chaos/10) {
		round := rounds[n%len(rounds)]
		js := c.ask(c.nodes...)
		led := c.leader(js)
		c.steer(led)
		c.await(time.Minute, "whole before a cut of "+round.name, func() bool { return c.whole(js) && c.leader(js) == led })
		at := time.Now()
		round.set(led, round.to)
		c.await(through, "heard after a cut of "+round.name, func() bool { return c.heardAfter(at) })
		heard := time.Since(at)
		c.await(through, "ready after a cut of "+round.name, c.ready)
		rest := c.ask(c.others(led)...)
		time.Sleep(time.Until(at.Add(partitioned))) // how long it is so is the point
		round.set(led, sound)
		mended := time.Now()
		c.await(time.Minute, "whole after a mended cut of "+round.name, func() bool { c.mustRun(); return c.whole(rest) })
		whole := time.Since(mended)
		c.await(time.Minute, "ready after a mended cut of "+round.name, c.ready)
		cuts = append(cuts, trouble{round.name, fmt.Sprintf("heard of a press again %.1f s after the cut; whole %.1f s after it was mended, and linli ready after %.1f s",
			heard.Seconds(), whole.Seconds(), time.Since(mended).Seconds()), at})
	}
	c.settle(cuts)
	close(answered)
}
