package account

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// allowance is how many logins may be tried at once, and after how long one more.
type allowance struct {
	burst int
	every time.Duration
}

// What may be tried: by one address for one name, by one address, and for one name.
var (
	pairAllowance    = allowance{8, 30 * time.Second}
	addressAllowance = allowance{40, 4 * time.Second}
	nameAllowance    = allowance{60, 20 * time.Second}
)

// remembered is how many of each kind are counted; the one that was quiet for longest gives way.
const remembered = 10_000

// LimitedError says that somebody has tried too often.
type LimitedError struct{ Retry time.Duration }

func (e *LimitedError) Error() string {
	return fmt.Sprintf("too many tries; the next one in %d s", int(e.Retry.Seconds())+1)
}

// limiter bounds how often passwords may be tried. Whoever guesses at a name from many addresses uses up what may be tried for it; its
// owner comes in all the same from an address where they have been before. It is safe for concurrent use, and its memory is bounded.
type limiter struct {
	mu                     sync.Mutex // guards the four, and makes a look and a new entry one step
	pairs, addresses, name *lru.Cache[string, *rate.Limiter]
	owners                 *lru.Cache[string, struct{}] // pairs whose password was right
}

func newLimiter() *limiter {
	table := func() *lru.Cache[string, *rate.Limiter] {
		c, err := lru.New[string, *rate.Limiter](remembered)
		if err != nil {
			panic(err) // the size is a constant
		}
		return c
	}
	owners, err := lru.New[string, struct{}](remembered)
	if err != nil {
		panic(err)
	}
	return &limiter{pairs: table(), addresses: table(), name: table(), owners: owners}
}

// take counts a try, or refuses it with a *LimitedError. A refused one is not counted.
func (l *limiter) take(address, name string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	address = network(address)
	pair := address + " " + name
	all := []*rate.Limiter{entry(l.pairs, pair, pairAllowance), entry(l.addresses, address, addressAllowance)}
	if _, owner := l.owners.Get(pair); !owner {
		all = append(all, entry(l.name, name, nameAllowance))
	}
	var wait time.Duration
	for _, r := range all {
		if missing := 1 - r.TokensAt(now); missing > 0 {
			wait = max(wait, time.Duration(missing/float64(r.Limit())*float64(time.Second)))
		}
	}
	if wait > 0 {
		return &LimitedError{wait}
	}
	for _, r := range all {
		r.AllowN(now, 1)
	}
	return nil
}

// forgive forgets the tries of an address for a name, which were those of its owner.
func (l *limiter) forgive(address, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pair := network(address) + " " + name
	l.pairs.Remove(pair)
	l.owners.Add(pair, struct{}{})
}

func entry(c *lru.Cache[string, *rate.Limiter], key string, a allowance) *rate.Limiter {
	r, ok := c.Get(key)
	if !ok {
		r = rate.NewLimiter(rate.Every(a.every), a.burst)
		c.Add(key, r)
	}
	return r
}

// network is what an address is counted as: with IPv6 everybody has a /64 to themselves.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, _ := ip.Prefix(64)
	return p.String()
}
