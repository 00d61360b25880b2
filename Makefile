# muster: `make help` lists what there is. `make demo` and `make test` are all that a fresh machine needs.
SHELL := /bin/bash
SWIFT ?= swift
MUSTER := .build/debug/muster
# Tests that mostly wait for the sandbox; each worker has one of its own.
WORKERS ?= 4
# The end-to-end tests that the release binary runs too.
# Relocations in their short form take 2.4 MB less, and want the loader of glibc 2.36.
LIBC := $(shell getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
SHORT := $(shell printf '2.36\n$(LIBC)\n' | sort -VC && echo '-Xlinker -z -Xlinker pack-relative-relocs')
# For size; what plans run through is for speed all the same (see Package.swift). Nobody links against the program, so it
# exports nothing, and what nothing reaches is left out.
RELEASE := -Xswiftc -static-stdlib -Xswiftc -Osize -Xcc -ffunction-sections -Xcc -fdata-sections \
	-Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker -s $(SHORT)
RELEASE_TESTS := life drift interruption plan_file secrets credentials reference

.PHONY: help setup build release demo test unit conformance simulate e2e release-test sandbox-test format lint goldens docs check bench clean crash-test

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: ## Install the system libraries if they are missing
	@scripts/setup

build: setup ## Build the debug binary
	$(SWIFT) build

release: setup ## Build the release binary (.build/release/muster)
	$(SWIFT) build -c release $(RELEASE) --product muster

demo: setup ## Start the sandbox; plan, apply, change and destroy the reference workspace in it, with hosts that join
	$(SWIFT) build --product muster
	$(SWIFT) build --product SandboxServer
	@scripts/demo $(MUSTER)

test: setup lint unit simulate conformance sandbox-test rendered-test e2e release-test ## Run every test: format, units, 2,000 simulated histories, conformance, sandbox, end to end

unit: setup ## Run the Swift tests
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build

conformance: setup ## Send every resource type through a life in the sandbox
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@scripts/with-sandbox $(SWIFT) test --skip-build --filter ConformanceTests

SEED ?= 1
simulate: RUNS ?= 2000
simulate: setup ## Run scenarios by chance in the simulated AWS (SEED=1 RUNS=2000), and every crash point of every type
	$(SWIFT) build --product Simulate
	@.build/debug/Simulate --lives > .build/lives.txt 2>&1 & lives=$$!; \
	.build/debug/Simulate --seed $(SEED) --runs $(RUNS); runs=$$?; \
	wait $$lives; points=$$?; cat .build/lives.txt; exit $$((runs | points))

sandbox-test: setup ## Test the sandbox's strictness
	$(SWIFT) build --product SandboxServer
	@scripts/pytest -n $(WORKERS) Tests/Sandbox

rendered-test: setup ## Check and run the scripts that machines are given
	@scripts/pytest -n $(WORKERS) Tests/Rendered

e2e: setup ## Run muster's binary against the sandbox, checked with independent clients
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@MUSTER_BINARY=$(CURDIR)/$(MUSTER) scripts/pytest -n $(WORKERS) Tests/EndToEnd

BOUNDARIES ?= 20
crash-test: RUNS ?= 200
crash-test: setup ## Kill muster RUNS times at random on the platform, and BOUNDARIES times at each boundary of each kind of operation
	$(SWIFT) build --product muster
	$(SWIFT) build --product SandboxServer
	@MUSTER_BINARY=$(CURDIR)/$(MUSTER) "$$(sandbox/python)" Tests/EndToEnd/crashes.py \
		--platform --runs $(RUNS) --seed $(SEED) --keep-going
	@MUSTER_BINARY=$(CURDIR)/$(MUSTER) "$$(sandbox/python)" Tests/EndToEnd/crashes.py \
		--boundaries $(BOUNDARIES) --seed $(SEED) --keep-going

release-test: release ## Run RELEASE_TESTS of the end-to-end tests against the release binary
	$(SWIFT) build --product SandboxServer
	@MUSTER_BINARY=$(CURDIR)/.build/release/muster scripts/pytest -n $(WORKERS) $(addprefix Tests/EndToEnd/test_,$(RELEASE_TESTS:=.py))

format: ## Format the Swift sources
	$(SWIFT) format -i -r Package.swift Sources Tests sandbox

lint: ## Check the format
	$(SWIFT) format lint --strict -r Package.swift Sources Tests sandbox

goldens: ## Rewrite the golden files from what the tests see
	MUSTER_UPDATE_GOLDENS=1 $(SWIFT) test

docs: ## Write docs/spec-reference.md from the schemas
	$(SWIFT) build --product muster
	$(MUSTER) schema reference > docs/spec-reference.md

bench: release ## Measure plans of many resources
	Benchmarks/run .build/release/muster

check: test ## What CI runs

clean: ## Remove build products
	rm -rf .build
