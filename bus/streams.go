package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Limits are the sizes that streams may reach, in bytes; 0 is no limit.
type Limits struct {
	Readings, Events, Rejects, Actions, Commands, Core, Audit int64

	// Replicas are the copies of a stream or bucket that is made new; 0 is three in a cluster and one elsewhere. What exists keeps
	// its own number.
	Replicas int

	// Kept leaves the limits of streams that exist as they are: on a system that is not ours they are the operator's.
	Kept bool
}

// Share divides the space that JetStream may use among the streams. What is left over is for the broker's own queues and for the
// buckets, which have no limit of their own.
func Share(total int64) Limits {
	part := func(percent int64) int64 { return total / 100 * percent }
	return Limits{Readings: part(45), Events: part(15), Rejects: part(5), Actions: part(2), Commands: part(2), Core: part(15), Audit: part(2)}
}

const day = 24 * time.Hour

// configs says of each stream what it holds and for how long. A stream that is full refuses (its publisher keeps the message and
// tries again) rather than forgetting what is not processed; rejects alone give way to newer ones.
func (l Limits) configs() []jetstream.StreamConfig {
	return []jetstream.StreamConfig{{
		Name: Readings, Subjects: []string{"readings.*", "readings.*.health"},
		Description: "batches of readings as line protocol",
		MaxAge:      7 * day, MaxBytes: l.Readings, MaxMsgSize: 1 << 20, Discard: jetstream.DiscardNew,
		Compression: jetstream.S2Compression, Duplicates: 2 * time.Minute,
		AllowAtomicPublish: true, AllowDirect: true, DenyDelete: true,
	}, {
		Name: Events, Subjects: []string{"events.*.*.*.*"},
		Description: "one event of a device a message",
		MaxAge:      7 * day, MaxBytes: l.Events, MaxMsgSize: 1 << 20, Discard: jetstream.DiscardNew,
		Compression: jetstream.S2Compression, Duplicates: 10 * time.Minute,
		AllowAtomicPublish: true, AllowDirect: true, DenyDelete: true,
	}, {
		// A reject that was replayed is deleted.
		Name: Rejects, Subjects: []string{"rejects.*"},
		Description: "what could not be stored, with the reason",
		MaxAge:      30 * day, MaxBytes: l.Rejects, MaxMsgSize: 4 << 20, Discard: jetstream.DiscardOld,
		Compression: jetstream.S2Compression, Duplicates: 10 * time.Minute,
		AllowDirect: true,
	}, {
		Name: Actions, Subjects: []string{"actions.*"},
		Description: "what people did",
		MaxAge:      30 * day, MaxBytes: l.Actions, MaxMsgSize: 1 << 20, Discard: jetstream.DiscardNew,
		Duplicates: day, AllowDirect: true, DenyDelete: true,
	}, {
		Name: Commands, Subjects: []string{"commands.*.*.*"},
		Description: "commands to devices and their states",
		MaxAge:      30 * day, MaxBytes: l.Commands, MaxMsgSize: 1 << 20, Discard: jetstream.DiscardNew,
		Duplicates: 10 * time.Minute, AllowDirect: true, DenyDelete: true,
	}, {
		// Nothing waits for the oldest entries to be read, and an acknowledgement must not fail because there is no room for its entry.
		Name: Audit, Subjects: []string{"audit.*"},
		Description: "who did and who looked at what",
		MaxAge:      365 * day, MaxBytes: l.Audit, MaxMsgSize: 64 << 10, Discard: jetstream.DiscardOld,
		Compression: jetstream.S2Compression, Duplicates: 2 * time.Minute, AllowDirect: true, DenyDelete: true,
	}, {
		// Erasing a person purges subjects, so purging stays allowed.
		Name: Core, Subjects: []string{"core.>"},
		Description: "offsets, rule state, alerts, deliveries: one message a subject",
		MaxBytes:    l.Core, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew,
		Duplicates:         2 * time.Minute,
		AllowAtomicPublish: true, AllowDirect: true, DenyDelete: true,
	}}
}

func buckets() []jetstream.KeyValueConfig {
	return []jetstream.KeyValueConfig{
		{Bucket: RegistryBucket, Description: "communities and devices", History: 5, Compression: true},
		{Bucket: PeopleBucket, Description: "people", History: 5, Compression: true},
		{Bucket: UsersBucket, Description: "user accounts and API tokens", History: 1},
		{Bucket: SessionsBucket, Description: "sessions of users", History: 1, TTL: 31 * day},
		{Bucket: SettingsBucket, Description: "settings and requests between roles", History: 5},
	}
}

// Setup makes the streams and buckets, or brings existing ones to their present configuration. It may be called at any time. Where
// there is no room for all of them, none is made: what is asked for next has the room to itself.
func (b *Bus) Setup(ctx context.Context, l Limits) error {
	var made []string
	err := b.setup(ctx, l, func(stream string) { made = append(made, stream) })
	if !NoRoom(err) {
		return err
	}
	for _, stream := range made {
		if failed := b.unmake(ctx, stream); failed != nil {
			return errors.Join(err, failed)
		}
	}
	return err
}

// unmake deletes a stream that nothing was ever written to.
func (b *Bus) unmake(ctx context.Context, stream string) error {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil || s.CachedInfo().State.LastSeq > 0 {
		return err
	}
	if err := b.JS.DeleteStream(ctx, stream); err != nil {
		return fmt.Errorf("take back stream %s: %w", stream, err)
	}
	return nil
}

func (b *Bus) setup(ctx context.Context, l Limits, made func(stream string)) error {
	for _, c := range l.configs() {
		if c.MaxBytes == 0 {
			c.MaxBytes = -1
		}
		there, err := b.existing(ctx, c.Name)
		if err != nil {
			return fmt.Errorf("set up stream %s: %w", c.Name, err)
		}
		c.Replicas = b.replicas(l, there)
		c.AllowDirect = c.Replicas == 1 // any copy answers a direct get, and one that lags answers with what was
		if there != nil && l.Kept {
			if c = merge(c, *there); reflect.DeepEqual(c, *there) {
				continue // a system that has less room than before refuses even the same again
			}
		}
		if err := b.create(ctx, c); err != nil {
			return fmt.Errorf("set up stream %s: %w", c.Name, err)
		}
		if there == nil {
			made(c.Name)
		}
	}
	for _, c := range buckets() {
		there, err := b.existing(ctx, "KV_"+c.Bucket)
		if err != nil {
			return fmt.Errorf("set up bucket %s: %w", c.Bucket, err)
		}
		c.Replicas = b.replicas(l, there)
		if there != nil && l.Kept {
			c.MaxBytes, c.Placement = there.MaxBytes, there.Placement
		}
		if there == nil || !l.Kept || !holds(there, &c) {
			if _, err := b.JS.CreateOrUpdateKeyValue(ctx, c); err != nil {
				return fmt.Errorf("set up bucket %s: %w", c.Bucket, err)
			}
		}
		if err := b.askLeader(ctx, c); err != nil {
			return fmt.Errorf("set up bucket %s: %w", c.Bucket, err)
		}
	}
	return nil
}

// create makes a stream or updates it. A server whose last stream was taken back removes the two folders above it meanwhile, each of
// which fails a stream that is made at that moment.
func (b *Bus) create(ctx context.Context, c jetstream.StreamConfig) (err error) {
	const folders = 2
	for range folders + 1 {
		if _, err = b.JS.CreateOrUpdateStream(ctx, c); !hasCode(err, streamCreateFailed) {
			break
		}
	}
	return err
}

// replicas is how many copies a stream is to have.
func (b *Bus) replicas(l Limits, there *jetstream.StreamConfig) int {
	switch {
	case there != nil:
		return there.Replicas
	case l.Replicas > 0:
		return l.Replicas
	case b.NC.ConnectedClusterName() != "":
		return clusterReplicas
	}
	return 1
}

// clusterReplicas lose nothing with one of them. More than that takes longer to acknowledge.
const clusterReplicas = 3

// askLeader makes the reads of a bucket that has copies go to the one that knows what was written last: a session that has just begun,
// or a lease that has just been taken, must not be missed.
func (b *Bus) askLeader(ctx context.Context, c jetstream.KeyValueConfig) error {
	if c.Replicas == 1 {
		return nil
	}
	there, err := b.existing(ctx, "KV_"+c.Bucket)
	if err != nil || there == nil || !there.AllowDirect {
		return err
	}
	there.AllowDirect = false
	_, err = b.JS.UpdateStream(ctx, *there)
	return err
}

// holds reports whether a stream is the bucket that c describes.
func holds(there *jetstream.StreamConfig, c *jetstream.KeyValueConfig) bool {
	return there.Description == c.Description && there.MaxMsgsPerSubject == int64(c.History) && there.MaxAge == c.TTL &&
		(there.Compression != jetstream.NoCompression) == c.Compression
}

// merge is an operator's stream with what linli relies on: subjects, what is refused and what a writer may do. How much is kept,
// for how long and where is the operator's.
func merge(ours, there jetstream.StreamConfig) jetstream.StreamConfig {
	m := there
	m.Subjects, m.Description, m.Discard = ours.Subjects, ours.Description, ours.Discard
	if ours.MaxMsgsPerSubject > 0 {
		m.MaxMsgsPerSubject = ours.MaxMsgsPerSubject
	}
	m.AllowAtomicPublish, m.AllowDirect = ours.AllowAtomicPublish, ours.AllowDirect
	m.Duplicates = max(there.Duplicates, ours.Duplicates)
	if there.MaxMsgSize > 0 {
		m.MaxMsgSize = max(there.MaxMsgSize, ours.MaxMsgSize)
	}
	return m
}

// existing is the configuration that a stream has; nil if there is none.
func (b *Bus) existing(ctx context.Context, stream string) (*jetstream.StreamConfig, error) {
	s, err := b.JS.Stream(ctx, stream)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &s.CachedInfo().Config, nil
}

// Error codes of nats-server that jetstream has no names for.
const (
	storageResourcesExceeded = 10047
	noSuitablePeers          = 10005
	streamCreateFailed       = 10049
)

// NoRoom reports whether Setup failed because the system, or each server of a cluster, does not have the space that the limits ask for.
func NoRoom(err error) bool {
	return hasCode(err, storageResourcesExceeded) || hasCode(err, noSuitablePeers)
}

func hasCode(err error, code jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == code
}
