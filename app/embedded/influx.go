package embedded

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/influxdata/influxdb/coordinator"
	influxlog "github.com/influxdata/influxdb/logger"
	"github.com/influxdata/influxdb/query"
	"github.com/influxdata/influxdb/services/httpd"
	"github.com/influxdata/influxdb/services/meta"
	"github.com/influxdata/influxdb/toml"
	"github.com/influxdata/influxdb/tsdb"
	_ "github.com/influxdata/influxdb/tsdb/engine" // the storage engine registers itself
	_ "github.com/influxdata/influxdb/tsdb/index"
)

// InfluxURL is what clients of the embedded InfluxDB are given as its address. Nothing is reachable under it: only the
// transport of Influx.Client knows what to do with it.
const InfluxURL = "http://influx.invalid"

// Database is the one database of the embedded InfluxDB; its retention policy is autogen.
const (
	Database  = "linli"
	retention = "autogen"
)

const influxVersion = "1.8.10"

// Limits of one query. They are far above what a page or a replay asks for and stop a query that would take the process down.
const (
	maxQueryTime      = time.Minute
	maxQueries        = 64
	maxSelectedPoints = 200_000_000
	maxSelectedSeries = 500_000
	maxSelectBuckets  = 2_000_000

	// Writes that come within this time share an fsync, and are acknowledged after it as they are without. Without it every write
	// of a quiet site is an fsync of its own, and those of the streams, which an SOS waits for, stand in line behind.
	fsyncDelay = 100 * time.Millisecond

	maxWriteBody = 64 << 20
	maxCache     = 256 << 20 // then writes are refused until the cache is on disk, and come again
)

// Influx is an InfluxDB 1.8 without a listener: the parts of influxd that store, query and speak HTTP, put together without the
// services that open ports, report home or write statistics.
type Influx struct {
	transport *transport
	store     *tsdb.Store
	queries   *query.Executor
	points    *coordinator.PointsWriter
	meta      *meta.Client
}

// OpenInflux opens or makes the database in dir. The caller sees to it that no other process uses dir. onLoss is called before
// anything is left out that the database had acknowledged and cannot read any more; its error ends the opening.
func OpenInflux(dir string, log *slog.Logger, onLoss func() error) (*Influx, error) {
	logger := influxlog.New(influxLines{log.With("component", "influxdb")})

	mc := meta.NewConfig()
	mc.Dir = filepath.Join(dir, "meta")
	if err := os.MkdirAll(mc.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make InfluxDB directory: %w", err)
	}
	x := &Influx{meta: meta.NewClient(mc)}
	x.meta.WithLogger(logger)
	if err := x.meta.Open(); err != nil {
		return nil, fmt.Errorf("open InfluxDB metadata: %w", err)
	}

	x.store = tsdb.NewStore(filepath.Join(dir, "data"))
	x.store.EngineOptions.Config = storeConfig(dir)
	x.store.EngineOptions.IndexVersion = tsdb.TSI1IndexName
	x.store.WithLogger(logger)

	x.points = coordinator.NewPointsWriter()
	x.points.TSDBStore, x.points.MetaClient = x.store, x.meta
	x.points.WithLogger(logger)

	x.queries = query.NewExecutor()
	x.queries.WithLogger(logger)
	x.queries.TaskManager.QueryTimeout = maxQueryTime
	x.queries.TaskManager.MaxConcurrentQueries = maxQueries
	x.queries.StatementExecutor = &coordinator.StatementExecutor{
		MetaClient: x.meta, TaskManager: x.queries.TaskManager, TSDBStore: x.store, PointsWriter: x.points,
		ShardMapper: &coordinator.LocalShardMapper{
			MetaClient: x.meta, TSDBStore: coordinator.LocalTSDBStore{Store: x.store},
		},
		MaxSelectPointN: maxSelectedPoints, MaxSelectSeriesN: maxSelectedSeries, MaxSelectBucketsN: maxSelectBuckets,
	}
	x.transport = newTransport(x.handler())

	lost := func(file string) error {
		log.Error("InfluxDB's log is damaged, what follows is left out", "component", "influxdb", "file", file)
		return onLoss()
	}
	if err := trimLogs(filepath.Join(dir, "wal"), lost); err != nil {
		return nil, fmt.Errorf("open InfluxDB: %w", err)
	}
	if err := x.open(); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

func (x *Influx) open() error {
	if err := x.store.Open(); err != nil {
		return fmt.Errorf("open InfluxDB store: %w", err)
	}
	if err := x.points.Open(); err != nil {
		return fmt.Errorf("open InfluxDB writer: %w", err)
	}
	if _, err := x.meta.CreateDatabase(Database); err != nil {
		return fmt.Errorf("create InfluxDB database: %w", err)
	}
	return nil
}

func storeConfig(dir string) tsdb.Config {
	c := tsdb.NewConfig()
	c.Dir, c.WALDir = filepath.Join(dir, "data"), filepath.Join(dir, "wal")
	c.Index = tsdb.TSI1IndexName
	c.QueryLogEnabled = false
	c.CacheMaxMemorySize = maxCache
	c.WALFsyncDelay = toml.Duration(fsyncDelay)
	return c
}

func (x *Influx) handler() http.Handler {
	c := httpd.NewConfig()
	c.LogEnabled, c.PprofEnabled, c.FluxEnabled = false, false, false
	c.MaxBodySize = maxWriteBody
	h := httpd.NewHandler(c)
	h.Version, h.BuildType = influxVersion, "OSS"
	h.MetaClient, h.PointsWriter, h.QueryExecutor = x.meta, x.points, x.queries
	h.QueryAuthorizer, h.WriteAuthorizer = meta.NewQueryAuthorizer(x.meta), meta.NewWriteAuthorizer(x.meta)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/query", "/write", "/api/v2/write", "/ping", "/health":
			h.ServeHTTP(w, r)
		default: // what is left reads parts of influxd that are not here
			http.NotFound(w, r)
		}
	})
}

// Client calls the database without a network. It may be used until Close.
func (x *Influx) Client() *http.Client { return &http.Client{Transport: x.transport} }

// Close waits for requests that are being served, cancels queries, and closes the files.
func (x *Influx) Close() error {
	x.transport.close()
	x.points.Close()
	x.queries.Close()
	err := x.store.Close()
	if e := x.meta.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("close InfluxDB: %w", err)
	}
	return nil
}

// influxLines passes InfluxDB's warnings and errors on; what it says about its daily work is for debugging.
type influxLines struct{ log *slog.Logger }

func (w influxLines) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	switch {
	case bytes.Contains(line, []byte("lvl=error")):
		level = slog.LevelError
	case bytes.Contains(line, []byte("lvl=warn")):
		level = slog.LevelWarn
	}
	w.log.Log(context.Background(), level, "influxdb", "line", string(bytes.TrimSpace(line)))
	return len(line), nil
}
