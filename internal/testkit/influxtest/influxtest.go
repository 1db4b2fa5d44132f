// Package influxtest gives tests an InfluxDB in process.
package influxtest

import (
	"errors"
	"net/http"
	"testing"

	"linli/app/embedded"
	"linli/internal/testkit"
)

// Database and RetentionPolicy are where tests write.
const (
	Database        = embedded.Database
	RetentionPolicy = "autogen"
)

// Influx is an empty database of its own, and the URL to call through the client. It ends with the test.
func Influx(t testing.TB) (client *http.Client, url string) {
	t.Helper()
	client, url, stop := InfluxAt(t, t.TempDir())
	t.Cleanup(stop)
	return client, url
}

// InfluxAt is like Influx on the data of dir, until stop is called: stop and a second InfluxAt are a restart.
func InfluxAt(t testing.TB, dir string) (client *http.Client, url string, stop func()) {
	t.Helper()
	x, err := embedded.OpenInflux(dir, testkit.Log, func() error { return errors.New("the data is damaged") })
	if err != nil {
		t.Fatal(err)
	}
	return x.Client(), embedded.InfluxURL, func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}
