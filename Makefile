# Two commands matter: make run, make test.

GO      := go
TOOL    := $(GO) tool -modfile=tools/tools.mod
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Packages whose tests contain an InfluxDB: building that with the race detector takes longer than everything else together,
# and what is concurrent in linli is tested without it.
INFLUX := ./app/... ./cmd/... ./series ./web ./ingest/store ./internal/testkit/influxtest ./internal/acceptance
RACE   := ./alerts/... ./app/command ./app/watch ./bus/... ./devices/... ./ingest ./internal/arch ./internal/testkit ./people ./seeds ./web/...

FUZZ := ./devices:FuzzTopic ./devices:FuzzReading ./devices:FuzzEvent ./devices:FuzzLine ./devices:FuzzCatalogue ./alerts:FuzzRules ./devices/simulate:FuzzPlan

.PHONY: build run test check race quiet influx fuzz lint bench bench-pages chaos clean needs pages ui browser screenshots

UI := web/ui
NPM := npm --prefix $(UI)
UI_SOURCES := $(shell find $(UI) -path $(UI)/node_modules -prune -o -path $(UI)/screenshots -prune -o -type f -print)

build: pages bin/linli

bin/linli: FORCE
	$(GO) build -ldflags "$(LDFLAGS)" -o $@ ./cmd/linli

run: build
	bin/linli serve --demo --scale 0.05 --data data

# The pages, built into web/dist and embedded from there. Without Node the binary says so where the pages would be.
pages:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web/dist/index.html; \
	  else echo "npm is missing: bin/linli will have no pages"; fi

web/dist/index.html: $(UI)/node_modules/.package-lock.json $(UI_SOURCES)
	$(NPM) run --silent build

$(UI)/node_modules/.package-lock.json: $(UI)/package-lock.json
	$(NPM) ci --silent --no-audit --no-fund
	@touch $@

test: needs check race quiet influx fuzz ui browser

# What the tests need beside Go and Node. Debian packages; nothing to do when they are there.
needs:
	@command -v mosquitto >/dev/null && command -v mosquitto_pub >/dev/null || \
	  (apt-get update -q && apt-get install -qy mosquitto mosquitto-clients)
	@command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q . || \
	  (apt-get update -q && apt-get install -qy --no-install-recommends chromium fonts-noto-cjk)

# Types and units of the pages.
ui: pages
	$(NPM) test --silent

# The pages in a browser, on the built binary.
browser: needs build
	$(NPM) run --silent browser

# Every page, on a desktop and a phone, in both languages: web/ui/screenshots.
screenshots: needs build
	$(NPM) run --silent screenshots

check:
	@test -z "$$($(TOOL) gofumpt -l $$(git ls-files '*.go') | tee /dev/stderr)"
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

race:
	$(GO) test -race -shuffle=on -timeout 20m $(RACE)

# Too much to judge with the race detector on.
quiet:
	$(GO) test ./alerts -run '^TestQuietDays'

influx:
	$(GO) test -shuffle=on -timeout 20m $(INFLUX)

fuzz:
	@set -e; for f in $(FUZZ); do \
	  echo "fuzz $$f"; $(GO) test -run '^$$' -fuzz "^$${f#*:}$$" -fuzztime 10s -fuzzminimizetime 1s "$${f%:*}"; \
	done

lint:
	$(GO) tool -modfile=tools/golangci-lint.mod golangci-lint run ./...

# One table; BENCH=-update writes it into the README.
bench: needs
	$(GO) test ./internal/acceptance -run '^TestSpeed$$' -speed $(BENCH) -count 1 -timeout 30m -v

# The duty board of 10,000 devices and 500 open alerts in a browser: first paint, 200 presses until they are drawn, and its memory over
# LINLI_MINUTES (1).
bench-pages: needs build
	$(NPM) run --silent speed

# Parts killed 200 times while 2,000 people press, the servers of a NATS cluster 20 times, of both of which make test does some; and the
# wires between them and linli cut 20 times; and a disk that takes seconds, where there is strace.
chaos: needs
	$(GO) test ./internal/acceptance -run '^(TestEverySOSReachesAPersonWhateverIsKilled|TestClusterWhatever(ServerIsKilled|WireIsCut)|TestDiskThatTakesSeconds)$$' -chaos 200 -count 1 -timeout 60m -v

clean:
	rm -rf bin data web/dist/* $(UI)/node_modules $(UI)/screenshots

FORCE:
