package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"linli/devices"
)

func TestGatewayIsCutOnceForManyChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var cut []string
		r := newReissuer(func(device string) {
			mu.Lock()
			defer mu.Unlock()
			cut = append(cut, device)
		})
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(cut)
			if !slices.Equal(cut, want) {
				t.Errorf("%s: cut %q, want %q", when, cut, want)
			}
			cut = nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.run(ctx) }()

		device := func(id, gateway string) *devices.Device {
			return &devices.Device{ID: id, Gateway: gateway, State: devices.Active, SecretHash: "x"}
		}
		for n := range 500 {
			r.change(devices.Change{New: device(fmt.Sprint("m-", n), "gw-1")})
			time.Sleep(reissuePause / 1000)
		}
		expect("while the changes come")
		time.Sleep(reissuePause)
		expect("after them", "gw-1")

		r.change(devices.Change{Old: device("m-1", "gw-1"), New: device("m-1", "gw-2")})
		revoked := device("m-2", "gw-1")
		revoked.State = devices.Revoked
		r.change(devices.Change{Old: device("m-2", "gw-1"), New: revoked})
		expect("a revoked device at once", "m-2")
		time.Sleep(reissuePause)
		expect("its gateways soon", "gw-1", "gw-2")

		renamed := device("m-3", "gw-1")
		r.change(devices.Change{Old: device("m-3", "gw-1"), New: renamed})
		time.Sleep(2 * reissuePause)
		expect("nothing has changed for the broker")
		cancel()
		<-done
	})
}
