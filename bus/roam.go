package bus

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// reachKey is the settings key that Roam writes. What is under it means nothing.
const reachKey = "reach"

const (
	reachEvery   = 2 * time.Second
	reachAttempt = 3 * time.Second
	reachAgain   = 500 * time.Millisecond // after one that failed

	// How long nothing can be stored until another server is tried, at first; twice as long after each that is no better, up to the last.
	roamPatience = 7 * time.Second
	roamLongest  = time.Minute
)

// Roam takes the connection to another server of its cluster, until ctx ends, when nothing can be stored through the one that it has:
// a server that is cut off from the others, or from us, does not say so, and may answer what it is asked for ever with what was. Only a
// majority stores, so that is what is tried. Who owns the connection calls it once; it ends with an error when the connection is closed.
func (b *Bus) Roam(ctx context.Context, log *slog.Logger) error {
	stored, patience := time.Now(), roamPatience
	for {
		err := b.reach(ctx)
		pause := reachAgain
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			stored, patience, pause = time.Now(), roamPatience, reachEvery
		case time.Since(stored) > patience:
			log.Warn("nothing can be stored through this server, trying another", "server", b.NC.ConnectedUrlRedacted(), "for", time.Since(stored), "err", err)
			if err := b.NC.ForceReconnect(); err != nil {
				return fmt.Errorf("try another server: %w", err)
			}
			stored, patience = time.Now(), min(2*patience, roamLongest)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// reach stores something of no meaning, where there is another server to go to.
func (b *Bus) reach(ctx context.Context) error {
	if len(b.NC.Servers()) < 2 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachAttempt)
	defer cancel()
	_, err := b.JS.Publish(ctx, "$KV."+SettingsBucket+"."+reachKey, nil)
	return err
}
