# Everything that is done to aviary more than once. `make` alone lists it.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# How long each fuzz target runs, and the linter's version.
FUZZTIME ?= 60s
GOLANGCI ?= github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help run test test-tools browser load screenshots chaos edges bench fuzz lint build clean

help:
	@echo "make run     the gateway with simulated data"
	@echo "make test    vet and all tests with the race detector (needs gcc)"
	@echo "make browser the tests of the page in a real Chromium (make test runs them last)"
	@echo "make load    200 posts a second into the page for a minute, in a real Chromium"
	@echo "make screenshots  the pictures in docs: docs/page.png and others (simulated data)"
	@echo "make test-tools  installs what tests drive besides Go (Debian, as root); make test does it"
	@echo "make bench   all benchmarks, then the built binary under load (needs gcc)"
	@echo "make chaos   the tests of a cluster and of demand at length: 20 kills, 1,000 hops (some fifteen minutes)"
	@echo "make edges   what a delivery costs with one, two and four gateways on one NATS"
	@echo "make fuzz    every fuzz target for FUZZTIME ($(FUZZTIME)) each"
	@echo "make lint    golangci-lint (the first run builds it, which takes minutes)"
	@echo "make build   the stripped static binary ./aviary"

run:
	$(GO) run .

# The race detector needs cgo, and so a C compiler.
test: export CGO_ENABLED = 1
test: test-tools
	$(GO) vet ./...
	$(GO) vet -tags chaos,edges ./...
	$(GO) test -race -timeout 9m ./...
	@$(MAKE) --no-print-directory browser

# Chromium and axe-core are fetched when they are missing; where that cannot be,
# the tests say so and are skipped, and fail if CI is set. Without a package
# named, go test shows what they say.
browser:
	cd web/e2e && $(GO) vet -tags screenshots . && $(GO) test -count=1 -timeout 15m

load:
	cd web/e2e && PAGE_LOAD=60s $(GO) test -count=1 -timeout 8m -v -run 'TestTwoHundredPostsASecond'

screenshots:
	cd web/e2e && SCREENSHOTS_DIR=../../docs $(GO) test -tags screenshots -count=1 -run 'TestScreenshots'

# What the tests drive besides Go, as command:packages of Debian. What is missing is
# installed in one go where that is possible. Elsewhere the tests that need it are
# skipped, and say so; with CI set they fail. RUNLEVEL=1 keeps a package from
# starting its service. PYTHON are libraries of Debian's own Python.
PYTHON := python3-tweepy,python3-requests-oauthlib
TOOLS := chromium:chromium,fonts-noto-core nginx:nginx-light node:nodejs npm:npm jq:jq curl:curl gzip:gzip zstd:zstd

test-tools:
	@missing=; PATH="$$PATH:/usr/sbin"; \
	for tool in $(TOOLS); do \
		command -v "$${tool%%:*}" >/dev/null || missing="$$missing $${tool##*:}"; \
	done; \
	/usr/bin/python3 -c 'import tweepy, requests_oauthlib' 2>/dev/null || missing="$$missing $(PYTHON)"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	missing=$$(echo "$$missing" | tr , ' '); \
	install="env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends $$missing"; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "!!! not installed: $$missing. Tests that need them are skipped; install them by hand." >&2; \
	elif ! $$install && ! { apt-get update -q && $$install; }; then \
		echo "!!! could not be installed: $$missing. Tests that need them are skipped." >&2; \
	fi

# What make test does a few times, many times: leaders killed, stopped, frozen, cut
# off; machines that lose power; clients that hop; and a disk that is full, which is
# why it wants to be root.
chaos:
	CHAOS=1 $(GO) test -count=1 -timeout 10m -run TestRandomWorlds ./upstream/lease
	CHAOS=1 $(GO) test -tags chaos -count=1 -v -timeout 10m -run 'TestKill$$|TestVolleyIsCutShort' ./upstream/bus
	CHAOS=1 $(GO) test -tags chaos -count=1 -v -timeout 25m -run 'TestLeader|TestFrozen|TestClientHops|TestNodeIsCutOff|TestDataDir|TestDemandOfThousands|TestChangesAgainstTheRecord|TestDemandAgainstTheRecord|TestRestartWhileSwitching' .

# The figures of docs/scaling.md. On a machine that does nothing else.
edges:
	$(GO) test -tags edges -count=1 -v -timeout 10m -run TestEdgesScale .

# First the benchmarks beside the code, then the binary through its sockets.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	cd bench && $(GO) run .

# The targets are found by asking each package, so a new one is never forgotten.
# Making interesting inputs smaller would else take all of the time.
fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
		listed=$$($(GO) test -list '^Fuzz' $$package); \
		for target in $$listed; do case $$target in Fuzz*) \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$package;; \
		esac; done; \
	done

# An installed golangci-lint is used if there is one.
lint:
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; else $(GO) run $(GOLANGCI) run ./...; fi

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o aviary .

clean:
	rm -rf aviary dist
