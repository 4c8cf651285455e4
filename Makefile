# Everything a person or the CI does with this repository. `make` alone lists the targets.
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || git log -1 --format=v0.0.0-$$(git rev-list --count HEAD 2>/dev/null)-g%h 2>/dev/null || echo development)
GOFLAGS := -trimpath -buildvcs=false
LDFLAGS := -s -w -buildid= -X main.version=$(VERSION) -X main.revision=$(REVISION)
BIN := bin/backtester
RACY := ./backtest ./backtest/bar ./backtest/barfile ./backtest/history/... ./backtest/job/... ./backtest/store ./backtest/sweep ./backtest/validate/... ./polygon ./polygon/bucket ./polygon/demo ./server/...
FUZZTIME := 20s
export CGO_ENABLED = 0

.PHONY: help build frontend demo test race lint fuzz mutants bench cover golden dev dist clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

build: frontend ## build the one static binary, bin/backtester
	go build $(GOFLAGS) -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/backtester

frontend: ## build the web application into frontend/dist; without npm the program has one plain page
	@frontend/build.sh

demo: build ## build it and show everything at once on the made-up market
	bin/backtester demo --out demo-out

test: ## run every test; those of downloads against a real S3 server, built on first use
	@echo 'make test: Go downloads the modules of go.mod and .ci/s3/go.mod on first use; real prices come from npm, where there is one'
	go vet ./... && go test -vet=off ./...
	cd .ci/s3 && go vet ./... && go test -vet=off -parallel 8 ./...

race: ## run the tests of concurrent packages under the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race -vet=off -short -timeout 20m $(RACY) && CGO_ENABLED=1 go test -race -vet=off -short -timeout 20m -run 'Serve|Server|Manager|Remote|Commands|Fetch|Interrupted|Distributed|Names' ./cmd

lint: ## check formatting, then vet and staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./... && go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

fuzz: ## fuzz every parser for FUZZTIME each
	@go list ./... | while read -r p; do go test -list '^Fuzz' "$$p" | grep '^Fuzz' | while read -r f; do echo "$$p $$f"; \
	    go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) "$$p" || exit 1; done || exit 1; done

mutants: ## break each rule of the market in turn; a scenario must fail
	go run ./.ci/mutants

bench: ## measure against goals, and against peers where they can be installed
	go run ./.ci/bench

cover: ## show how much of each package its tests run
	go test -cover ./...

golden: ## rewrite expected outputs; read the diff before you commit it
	go test ./report/... ./cmd/... -update

dev: ## start a server for development on the made-up market: http://localhost:5000
	deployment/start-dev.sh

dist: ## make a release in dist/: archives, Debian packages, bill of materials, licences, checksums
	.ci/release/run dist

clean: ## remove what was built
	rm -rf bin demo-out dist
