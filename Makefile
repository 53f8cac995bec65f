# coord: build, try, test and install. "make help" lists the targets.

PREFIX  ?= $(HOME)/.local
# A tag, else the build's own time: see pkg/build.
VERSION ?= $(shell sh .ci/version)
GO      ?= go
BIN     := bin
TOOLS   := $(CURDIR)/$(BIN)/tools

STATICCHECK_VERSION := v0.8.2
GOSEC_VERSION       := v2.29.0

# One set of flags for everything that holds SQLite: each other set would compile
# it again, which takes most of a minute.
GOFLAGS_ALL := -buildvcs=false
LDFLAGS     := -s -w -X main.linked=$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help build demo install test bench lint clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build coord-shim, coord-hook and coord-hub into bin/
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build $(GOFLAGS_ALL) -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/coord-shim ./cmd/coord-hook
	CGO_ENABLED=1 $(GO) build $(GOFLAGS_ALL) -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/coord-hub

demo: build ## play the README story with the real programs
	@$(BIN)/coord-hub demo

install: build ## install into PREFIX/bin (PREFIX defaults to ~/.local)
	@mkdir -p $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(BIN)/coord-shim $(BIN)/coord-hook $(BIN)/coord-hub $(DESTDIR)$(PREFIX)/bin/
	@case ":$$PATH:" in \
	*":$(PREFIX)/bin:"*) ;; \
	*) echo "note: $(PREFIX)/bin is not on your PATH; add it: export PATH=\"$(PREFIX)/bin:\$$PATH\"" ;; \
	esac

test: ## run all tests with the race detector
	$(GO) test $(GOFLAGS_ALL) -race -timeout 20m ./...

bench: ## measure start, calls, announcements, pushes and memory
	$(GO) test $(GOFLAGS_ALL) -run '^$$' -bench . -benchtime 3s ./pkg/coordtest ./pkg/hub/stream

lint: $(TOOLS)/staticcheck-$(STATICCHECK_VERSION) $(TOOLS)/gosec-$(GOSEC_VERSION) ## gofmt, vet, staticcheck, gosec
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet $(GOFLAGS_ALL) ./...
	$(TOOLS)/staticcheck-$(STATICCHECK_VERSION) ./...
	$(TOOLS)/gosec-$(GOSEC_VERSION) -quiet ./...

# A tool is kept under its version, so that a new pin installs it anew.
$(TOOLS)/staticcheck-$(STATICCHECK_VERSION):
	GOBIN=$(TOOLS) $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	@mv $(TOOLS)/staticcheck $@

$(TOOLS)/gosec-$(GOSEC_VERSION):
	GOBIN=$(TOOLS) $(GO) install github.com/securego/gosec/v2/cmd/gosec@$(GOSEC_VERSION)
	@mv $(TOOLS)/gosec $@

clean: ## remove what was built
	rm -rf $(BIN)
