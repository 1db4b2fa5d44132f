package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
)

// withinReach returns the subjects of a stream, one a community, that the community parameter of a request asks for and who asks
// reaches.
func withinReach(r *http.Request, subject func(community string) string, all string) ([]string, error) {
	p, c := principal(r), r.URL.Query().Get("community")
	switch {
	case c != "" && !devices.ValidID(c):
		return nil, invalid("community", "%q is not an identifier", c)
	case c != "" && p.Community(c):
		return []string{subject(c)}, nil
	case c != "":
		return nil, nil
	case p.Everywhere():
		return []string{all}, nil
	}
	var subjects []string
	for _, c := range p.Communities {
		if name := subject(c); !slices.Contains(subjects, name) {
			subjects = append(subjects, name)
		}
	}
	return subjects, nil
}

// newest hands the newest messages of a stream under some subjects to each, the newest first: those before a sequence, unless it
// is 0. It reads backwards in spans that grow until there are enough.
func (s *Server) newest(ctx context.Context, name string, subjects []string, before uint64, limit int, each func(seq uint64, data []byte)) error {
	if len(subjects) == 0 {
		return nil
	}
	stream, err := s.Bus.JS.Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	state := stream.CachedInfo().State
	first, end := max(state.FirstSeq, 1), state.LastSeq+1
	if before > 0 {
		end = min(end, before)
	}
	for width := uint64(limit); end > first && limit > 0; width *= 8 {
		begin := first
		if end-begin > width {
			begin = end - width
		}
		some, err := s.between(ctx, name, subjects, begin, end, limit)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		for _, m := range some {
			each(m.seq, m.data)
		}
		limit -= len(some)
		end = begin
	}
	return nil
}

type message struct {
	seq  uint64
	data []byte
}

// between returns the newest of the messages with sequences in [begin, end), newest first.
func (s *Server) between(ctx context.Context, stream string, subjects []string, begin, end uint64, most int) ([]message, error) {
	var found []message
	err := s.Bus.ReadFrom(ctx, stream, begin, subjects, func(m jetstream.Msg) error {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream < end {
			found = append(found, message{meta.Sequence.Stream, m.Data()})
			if len(found) > most {
				found = found[1:]
			}
		}
		if meta.Sequence.Stream+1 >= end {
			return bus.ErrEnough
		}
		return nil
	})
	slices.Reverse(found)
	return found, err
}
