package notify

import (
	"slices"
	"sync"
	"time"
)

// governor keeps the quotas of providers: more than they bear makes them deaf for minutes. It decides when a message may go out.
// Ordinary messages leave a share of every quota to life-safety. What does not fit waits; nothing is dropped.
type governor struct {
	caps map[string]Caps // by channel; never written after it was made

	mu       sync.Mutex // guards the field below
	accounts map[string]*account
}

// account is what a provider counts against one credential.
type account struct {
	muted map[string]mute // by address; "" is the whole account
	spent map[spending]*[]token
}

// mute is a penalty: until then the provider takes nothing.
type mute struct {
	until time.Time
	code  string
}

// spending is one thing that is counted: a limit of a channel, and of which address if it is one of each.
type spending struct {
	channel string
	limit   int
	to      string
}

type token struct {
	at     time.Time
	safety bool
}

func newGovernor(channels Channels) *governor {
	g := &governor{caps: map[string]Caps{}, accounts: map[string]*account{}}
	for name, ch := range channels {
		g.caps[name] = ch.Caps()
		g.accounts[g.account(name)] = &account{muted: map[string]mute{}, spent: map[spending]*[]token{}}
	}
	return g
}

func (g *governor) account(channel string) string {
	if c := g.caps[channel]; c.Account != "" {
		return "account " + c.Account
	}
	return channel
}

// admit reports whether a message may go out now, and counts it if so. Otherwise it may try again at the time returned.
func (g *governor) admit(channel, to string, safety bool, now time.Time) (at time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.next(channel, to, safety, now); at.After(now) {
		return at, false
	}
	g.spend(g.accounts[g.account(channel)], channel, to, safety, now)
	return now, true
}

// free is when a message may go out; not after now: at once.
func (g *governor) free(channel, to string, safety bool, now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next(channel, to, safety, now)
}

func (g *governor) next(channel, to string, safety bool, now time.Time) (at time.Time) {
	a := g.accounts[g.account(channel)]
	if a == nil { // a channel that is configured no more
		return now.Add(time.Minute)
	}
	for _, whom := range []string{"", to} {
		if m, muted := a.muted[whom]; muted && m.until.After(now) {
			at = later(at, m.until)
		} else if muted {
			delete(a.muted, whom)
		}
	}
	for i, l := range g.caps[channel].Limits {
		at = later(at, l.free(a.tokens(g, channel, i, to, now), safety, now))
	}
	return at
}

func (g *governor) spend(a *account, channel, to string, safety bool, at time.Time) {
	for i, l := range g.caps[channel].Limits {
		key := g.spending(channel, i, l, to)
		if a.spent[key] == nil {
			a.spent[key] = new([]token)
		}
		*a.spent[key] = append(*a.spent[key], token{at, safety})
	}
}

// giveBack takes back what a message of life-safety was counted with that did not go out after all.
func (g *governor) giveBack(channel, to string, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.accounts[g.account(channel)]
	for i, l := range g.caps[channel].Limits {
		spent := a.spent[g.spending(channel, i, l, to)]
		if spent == nil {
			continue
		}
		if k := slices.Index(*spent, token{at, true}); k >= 0 {
			*spent = slices.Delete(*spent, k, k+1)
		}
	}
}

// spending is the same for all channels of a shared account, so that they share its limits.
func (g *governor) spending(channel string, i int, l Limit, to string) spending {
	if !l.Each {
		to = ""
	}
	return spending{g.account(channel), i, to}
}

// tokens are those of a limit that still count.
func (a *account) tokens(g *governor, channel string, i int, to string, now time.Time) []token {
	l := g.caps[channel].Limits[i]
	key := g.spending(channel, i, l, to)
	all := a.spent[key]
	if all == nil {
		return nil
	}
	old := now.Add(-l.Per)
	*all = slices.DeleteFunc(*all, func(t token) bool { return !t.at.After(old) })
	if len(*all) == 0 {
		delete(a.spent, key)
		return nil
	}
	return *all
}

// free is when one more message fits, given those that count; not after now: at once.
func (l Limit) free(spent []token, safety bool, now time.Time) (at time.Time) {
	if excess := len(spent) - l.Max; excess >= 0 {
		at = spent[excess].at.Add(l.Per)
	}
	if safety {
		return at
	}
	ordinary := slices.DeleteFunc(slices.Clone(spent), func(t token) bool { return t.safety })
	if excess := len(ordinary) - (l.Max - l.Reserved); excess >= 0 {
		if l.Max == l.Reserved {
			return now.Add(l.Per)
		}
		at = later(at, ordinary[excess].at.Add(l.Per))
	}
	return at
}

// recall counts a message that was sent before this process began.
func (g *governor) recall(channel, to string, safety bool, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a := g.accounts[g.account(channel)]; a != nil {
		g.spend(a, channel, to, safety, at)
	}
}

// ordered puts what recall has counted into the order of its time.
func (g *governor) ordered() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.accounts {
		for _, all := range a.spent {
			slices.SortFunc(*all, func(x, y token) int { return x.at.Compare(y.at) })
		}
	}
}

// punished notes that a provider refused for a while: everything, or an address.
func (g *governor) punished(channel, to string, e *SendError, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.accounts[g.account(channel)]
	if a == nil {
		return
	}
	if e.Account {
		to = ""
	}
	until := now.Add(retryAfter(e))
	if a.muted[to].until.Before(until) {
		a.muted[to] = mute{until, e.Code}
	}
	for whom, m := range a.muted { // bounded by the addresses of one hour
		if !m.until.After(now) {
			delete(a.muted, whom)
		}
	}
}

// quota is how much of the tightest limit of a channel's account is left, and until when its provider takes nothing.
type quota struct {
	limited          bool
	limit            Limit // the tightest
	ordinary, safety int
	muted            time.Time
	code             string
}

func (g *governor) quota(channel string, now time.Time) (q quota) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.accounts[g.account(channel)]
	for i, l := range g.caps[channel].Limits {
		if l.Each {
			continue
		}
		spent := a.tokens(g, channel, i, "", now)
		ordinary := 0
		for _, t := range spent {
			if !t.safety {
				ordinary++
			}
		}
		left := max(l.Max-len(spent), 0)
		free := max(min(left, l.Max-l.Reserved-ordinary), 0)
		if !q.limited || left < q.safety {
			q.limited, q.limit, q.safety, q.ordinary = true, l, left, free
		}
	}
	if m := a.muted[""]; m.until.After(now) {
		q.muted, q.code = m.until, m.code
	}
	return q
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
