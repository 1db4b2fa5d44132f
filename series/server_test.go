package series

import (
	"io"
	"testing"

	"github.com/influxdata/influxdb/cmd/influxd/run"
	"github.com/influxdata/influxdb/services/httpd"
	"github.com/influxdata/influxql"
)

const (
	userName = "linli"
	password = "right: pass word"

	tokenUser     = "linli-token"
	tokenPassword = "pass:word"
)

// server is InfluxDB 1.8 with its own HTTP listener on a free port and the databases linli and other. With authentication on,
// both users may write and read linli and nothing else.
func server(t *testing.T, auth bool) (url string) {
	t.Helper()
	dir := t.TempDir()
	c := run.NewConfig()
	c.BindAddress = "127.0.0.1:0"
	c.Meta.Dir, c.Data.Dir, c.Data.WALDir = dir+"/meta", dir+"/data", dir+"/wal"
	c.Meta.LoggingEnabled, c.Data.Index, c.Data.QueryLogEnabled = false, "tsi1", false
	c.ReportingDisabled, c.Monitor.StoreEnabled = true, false
	c.HTTPD.BindAddress, c.HTTPD.LogEnabled, c.HTTPD.AuthEnabled = "127.0.0.1:0", false, auth
	c.HTTPD.MaxRowLimit = 1000 // must not cut any answer
	s, err := run.NewServer(c, &run.BuildInfo{Version: "1.8.10"})
	if err != nil {
		t.Fatal(err)
	}
	s.SetLogOutput(io.Discard)
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	m := s.MetaClient
	for _, db := range []string{"linli", "other"} {
		if _, err := m.CreateDatabase(db); err != nil {
			t.Fatal(err)
		}
	}
	if auth {
		if _, err := m.CreateUser("admin", "admin password", true); err != nil {
			t.Fatal(err)
		}
		for user, pw := range map[string]string{userName: password, tokenUser: tokenPassword} {
			if _, err := m.CreateUser(user, pw, false); err != nil {
				t.Fatal(err)
			}
			if err := m.SetPrivilege(user, "linli", influxql.AllPrivileges); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, service := range s.Services {
		if h, ok := service.(*httpd.Service); ok {
			return "http://" + h.Addr().String()
		}
	}
	t.Fatal("no HTTP service")
	return ""
}

// open connects to a server of its own without authentication.
func open(t *testing.T) *Influx {
	t.Helper()
	return connect(t, Options{URL: server(t, false), Bucket: "linli/autogen"})
}

func connect(t *testing.T, o Options) *Influx {
	t.Helper()
	x, err := OpenInflux(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func write(t *testing.T, x *Influx, lines string) {
	t.Helper()
	if err := x.Write(t.Context(), []byte(lines)); err != nil {
		t.Fatal(err)
	}
}
