package embedded_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

type work struct {
	publish, durable, ordered, follow, edit []string
	delete                                  string
}

// works is what each role does on the bus.
var works = map[string]work{
	"ingest": {
		publish: []string{"readings.c.health", "events.c.t.d.e", "rejects.c", "rejects.d", "commands.c.t.d"}, ordered: []string{bus.Commands, bus.Events},
		follow: []string{bus.RegistryBucket}, edit: []string{bus.SettingsBucket}, delete: bus.Rejects,
	},
	"store": {
		publish: []string{"rejects.c"}, durable: []string{bus.Readings, bus.Events}, edit: []string{bus.SettingsBucket}, delete: bus.Rejects,
	},
	"alerts": {
		publish: []string{"core.alert.a", "core.alert_event.a.1"}, ordered: []string{bus.Readings, bus.Events, bus.Actions, bus.Core},
		follow: []string{bus.RegistryBucket, bus.PeopleBucket, bus.SettingsBucket},
	},
	"notify": {
		publish: []string{"core.delivery.d", "actions.c"}, durable: []string{bus.Core}, follow: []string{bus.RegistryBucket},
	},
	"web": {
		publish: []string{"actions.c", "commands.c.t.d"}, ordered: []string{bus.Core, bus.Commands, bus.Rejects},
		edit: []string{bus.RegistryBucket, bus.PeopleBucket, bus.UsersBucket, bus.SessionsBucket, bus.SettingsBucket},
	},
}

// Every role works over its own connection. A missing permission shows as silence, so every step has a limit.
func TestRolesCanDoTheirWork(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.setup(t)
	roles := map[string]*bus.Bus{}
	for name, w := range works {
		nc, err := b.Conn(name)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if roles[name], err = bus.New(nc); err != nil {
			t.Fatal(err)
		}
		for _, subject := range w.publish {
			if _, _, err := roles[name].Publish(t.Context(), subject, "", []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, w := range works {
		t.Run(name, func(t *testing.T) {
			r := roles[name]
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, stream := range w.durable {
				consume(t, ctx, r, stream)
			}
			for _, stream := range w.ordered {
				order(t, ctx, r, stream)
			}
			for _, bucket := range slices.Concat(w.follow, w.edit) {
				watch(t, ctx, r, bucket, slices.Contains(w.edit, bucket))
			}
			if w.delete != "" {
				s, err := r.JS.Stream(ctx, w.delete)
				if err == nil {
					err = s.DeleteMsg(ctx, s.CachedInfo().State.FirstSeq)
				}
				if err != nil {
					t.Errorf("delete from %s: %v", w.delete, err)
				}
			}
			if err := r.NC.LastError(); err != nil {
				t.Error(err)
			}
		})
	}
	offset := bus.Msg(bus.OffsetSubject, []byte(`{"events":1}`))
	if _, err := roles["alerts"].Commit(t.Context(), bus.Core, []*nats.Msg{bus.Msg("core.checkpoint.0", nil), offset}); err != nil {
		t.Errorf("alerts commits: %v", err)
	}
}

func consume(t *testing.T, ctx context.Context, r *bus.Bus, stream string) {
	t.Helper()
	c, err := r.JS.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{Durable: "test", MaxDeliver: -1})
	if err != nil {
		t.Errorf("consume %s: %v", stream, err)
		return
	}
	m, err := c.Next(jetstream.FetchMaxWait(20 * time.Second))
	if err == nil {
		err = m.DoubleAck(ctx)
	}
	if err != nil {
		t.Errorf("consume %s: %v", stream, err)
	}
}

func order(t *testing.T, ctx context.Context, r *bus.Bus, stream string) {
	t.Helper()
	c, err := r.JS.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{})
	if err == nil {
		_, err = c.Next(jetstream.FetchMaxWait(20 * time.Second))
	}
	if err != nil {
		t.Errorf("read %s in order: %v", stream, err)
		return
	}
	s, err := r.JS.Stream(ctx, stream)
	if err == nil {
		_, err = s.GetMsg(ctx, s.CachedInfo().State.LastSeq)
	}
	if err == nil && stream == bus.Core {
		_, err = s.GetLastMsgForSubject(ctx, "core.alert.a")
	}
	if err != nil {
		t.Errorf("read one of %s: %v", stream, err)
	}
}

func watch(t *testing.T, ctx context.Context, r *bus.Bus, bucket string, edit bool) {
	t.Helper()
	kv, err := r.KV(ctx, bucket)
	if err != nil {
		t.Error(err)
		return
	}
	if edit {
		revision, err := kv.Create(ctx, "k"+bucket, []byte("1"))
		if err == nil {
			_, err = kv.Update(ctx, "k"+bucket, []byte("2"), revision)
		}
		if err == nil {
			_, err = kv.Get(ctx, "k"+bucket)
		}
		if err == nil {
			err = kv.Purge(ctx, "k"+bucket)
		}
		if err != nil {
			t.Errorf("edit %s: %v", bucket, err)
		}
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		t.Errorf("watch %s: %v", bucket, err)
		return
	}
	defer w.Stop()
	for {
		select {
		case e := <-w.Updates():
			if e == nil {
				return
			}
		case <-ctx.Done():
			t.Errorf("watch %s: nothing came", bucket)
			return
		}
	}
}
