// Command influxd is the server of InfluxDB 1.8, for tests and benchmarks that need one as a process of its own. It is set by
// INFLUXDB_… variables and runs until it is killed.
package main

import (
	"fmt"
	"os"

	"github.com/influxdata/influxdb/cmd/influxd/run"
)

func main() {
	c := run.NewCommand()
	c.Version = "1.8.10"
	if err := c.Run(os.Args[1:]...); err != nil {
		fmt.Fprintln(os.Stderr, "influxd:", err)
		os.Exit(1)
	}
	<-c.Closed
}
