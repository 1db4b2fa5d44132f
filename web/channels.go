package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	allowance "golang.org/x/time/rate"

	"linli/bus"
	"linli/web/account"
)

var channelRoutes = []route{
	{
		method: "GET", path: "/api/v1/channels", area: "channels", about: "The channels that carry messages to people, and how they are",
		may: managers, whose: filtered, secret: true, out: channelList{}, handle: (*Server).channels,
	},
	{
		method: "POST", path: "/api/v1/channels/{id}/test", area: "channels",
		about: "Send one message that says that it is a test, and say what became of it",
		may:   managers, whose: own, in: channelTestBody{}, out: channelTestAnswer{}, handle: (*Server).testChannel,
	},
}

type (
	channelTestBody struct {
		To string `json:"to,omitempty" description:"phone number, mail address or topic, of a channel that wants one"`
	}
	channelTestAnswer struct {
		bus.ChannelTest
	}
	channelList struct {
		Channels []channel `json:"channels"`
	}
	channel struct {
		bus.ChannelState
		Kind     string `json:"kind,omitempty"`
		Callback string `json:"callback,omitempty"` // path below the public URL for the provider to call; for the administrator alone
	}
)

// channels shows what the notifier has said last.
func (s *Server) channels(w http.ResponseWriter, r *http.Request) error {
	list := channelList{Channels: []channel{}}
	states, err := s.channelStates(r.Context())
	if err != nil {
		return err
	}
	for _, state := range states {
		c := channel{ChannelState: state, Kind: s.Channels[state.Channel]}
		if s.Passes != nil && principal(r).Role == account.Admin {
			c.Callback = "/callback/" + state.Channel + "/" + s.Passes.Callback(state.Channel)
		}
		list.Channels = append(list.Channels, c)
	}
	return reply(w, http.StatusOK, list)
}

func (s *Server) channelStates(ctx context.Context) (states []bus.ChannelState, err error) {
	e, err := s.settings.Get(ctx, bus.ChannelsKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(e.Value(), &states); err != nil {
		return nil, fmt.Errorf("read states of channels: %w", err)
	}
	return states, nil
}

// testChannel asks the notifier for a test and waits for its answer. Without one in time the answer has no state.
func (s *Server) testChannel(w http.ResponseWriter, r *http.Request) error {
	var body channelTestBody
	if err := read(r, &body); err != nil {
		return err
	}
	name, who := r.PathValue("id"), principal(r)
	states, err := s.channelStates(r.Context())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(states, func(c bus.ChannelState) bool { return c.Channel == name }) {
		return notFound("channel", name)
	}
	if len(body.To) > 256 || strings.ContainsFunc(body.To, func(c rune) bool { return c < ' ' }) {
		return invalid("to", "is no address")
	}
	if err := s.tests.take(who.Name, name, s.Now()); err != nil {
		return err
	}
	about(r, strings.TrimSpace(name+" "+body.To), "")
	t, err := s.awaitTest(r.Context(), bus.ChannelTest{Channel: name, To: body.To, By: who.Name, Asked: s.Now().UTC()})
	if err != nil {
		return err
	}
	s.Log.Info("channel tested", "channel", name, "by", who.Name, "state", t.State)
	return reply(w, http.StatusOK, channelTestAnswer{t})
}

// awaitTest writes a test down and returns it with its answer.
func (s *Server) awaitTest(ctx context.Context, t bus.ChannelTest) (bus.ChannelTest, error) {
	ctx, cancel := context.WithTimeout(ctx, bus.ChannelTestLimit)
	defer cancel()
	b, err := json.Marshal(t)
	if err != nil {
		return t, err
	}
	key := bus.ChannelTestKey(strings.ToLower(rand.Text()))
	if _, err := s.settings.Create(ctx, key, b); err != nil {
		return t, err
	}
	defer func() { _ = s.settings.Delete(context.WithoutCancel(ctx), key) }() // else the notifier forgets it
	answers, err := s.settings.Watch(ctx, key, jetstream.IgnoreDeletes())
	if err != nil {
		return t, err
	}
	defer func() { _ = answers.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return t, nil
		case e := <-answers.Updates():
			if e == nil { // nothing more is there yet
				continue
			}
			now := t
			if err := json.Unmarshal(e.Value(), &now); err != nil {
				return t, err
			}
			if now.State != "" && now.State != bus.Sending {
				return now, nil
			}
		}
	}
}

// Somebody may test five channels at once, then one a minute; a channel is tested every ten seconds.
const (
	testsAtOnce  = 5
	testsEvery   = time.Minute
	channelEvery = 10 * time.Second
)

// testLimits keeps tests from being a way to send many messages. It is bounded by the users and the channels.
type testLimits struct {
	mu sync.Mutex // guards by
	by map[string]*allowance.Limiter
}

// take counts a test, or refuses it with an *account.LimitedError.
func (l *testLimits) take(who, channel string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[string]*allowance.Limiter{}
	}
	of := func(key string, every time.Duration, burst int) *allowance.Limiter {
		if l.by[key] == nil {
			l.by[key] = allowance.NewLimiter(allowance.Every(every), burst)
		}
		return l.by[key]
	}
	person, ch := of("by "+who, testsEvery, testsAtOnce), of("over "+channel, channelEvery, 1)
	if person.TokensAt(now) < 1 {
		return &account.LimitedError{Retry: testsEvery}
	}
	if !ch.AllowN(now, 1) {
		return &account.LimitedError{Retry: channelEvery}
	}
	person.AllowN(now, 1)
	return nil
}
