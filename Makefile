# Everything that is done to aviary more than once. `make` alone lists it.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# How long each fuzz target runs, and the linter's version.
FUZZTIME ?= 60s
GOLANGCI ?= github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help run test bench fuzz lint build clean

help:
	@echo "make run     the gateway with simulated data"
	@echo "make test    vet and all tests with the race detector (needs gcc)"
	@echo "make bench   all benchmarks, then the built binary under load (needs gcc)"
	@echo "make fuzz    every fuzz target for FUZZTIME ($(FUZZTIME)) each"
	@echo "make lint    golangci-lint (the first run builds it, which takes minutes)"
	@echo "make build   the stripped static binary ./aviary"

run:
	$(GO) run .

# The race detector needs cgo, and so a C compiler.
test: export CGO_ENABLED = 1
test:
	$(GO) vet ./...
	$(GO) test -race -timeout 9m ./...

# First the benchmarks beside the code, then the binary through its sockets.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	cd bench && $(GO) run .

# The targets are found by asking each package, so a new one is never forgotten.
fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
		listed=$$($(GO) test -list '^Fuzz' $$package); \
		for target in $$listed; do case $$target in Fuzz*) \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package;; \
		esac; done; \
	done

# An installed golangci-lint is used if there is one.
lint:
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; else $(GO) run $(GOLANGCI) run ./...; fi

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o aviary .

clean:
	rm -rf aviary dist
