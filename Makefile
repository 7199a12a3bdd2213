# SPDX-License-Identifier: Apache-2.0
# The doors of this repository; `make help` lists them.

.DEFAULT_GOAL := help
FALCO := .build/release/falco
# As root, falco can load its probe; elsewhere sudo asks.
AS_ROOT := $(shell [ "$$(id -u)" -eq 0 ] || command -v sudo)
SWIFT_FILES := Package.swift Sources Tests Plugins Benchmarks Fuzz/Package.swift Fuzz/Sources
C_FILES := $(wildcard Probe/*.c Probe/*.h Probe/*/*.h)
CLANG_FORMAT := $(shell command -v clang-format || command -v clang-format-14)

.PHONY: help setup build run demo test check format bench fuzz oracle live golden clean

help: ## list the doors
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install missing Debian packages (as root; else say which)
	@scripts/setup.sh

build: setup ## release build, .build/release/falco
	@scripts/build-release.sh

run: build ## watch this host with the default rules until Ctrl-C; SCOPE=<pid>: only that process and what it starts; ARGS: more options
	@$(AS_ROOT) $(FALCO) $(if $(SCOPE),--scope $(SCOPE)) $(ARGS)

demo: build ## harmless suspicious actions under `falco run`, and the alerts they raise
	@$(AS_ROOT) $(FALCO) run -r rules/falco_rules.yaml -o syslog_output.enabled=false $(ARGS) -- scripts/demo.sh

test: setup ## everything that can be tested here; its last line is the result
	@scripts/test.sh $(TEST_FLAGS)

check: setup ## format, warnings as errors, tests
	@swift format lint --strict --recursive $(wildcard $(SWIFT_FILES))
	@if [ -n "$(CLANG_FORMAT)" ]; then $(CLANG_FORMAT) --dry-run -Werror $(C_FILES); \
	else echo "check: C files were not looked at: clang-format is not installed"; fi
	@FALCO_STRICT=1 scripts/test.sh $(TEST_FLAGS)

format: ## put the sources into the form that check asks for
	@swift format --in-place --recursive $(wildcard $(SWIFT_FILES))
	@if [ -n "$(CLANG_FORMAT)" ]; then $(CLANG_FORMAT) -i $(C_FILES); fi

bench: setup ## measure captures, the cost of a system call and a flood (live: as root); ARGS="captures", "cost", "flood", …
	@touch Benchmarks/Package.swift  # so that files which came or went in the rooms are noticed
	@swift run --package-path Benchmarks -c release bench $(ARGS)

fuzz: setup ## hostile bytes at every door, a minute each; RUNS=10000000, TARGET=event (capture, proc, …), ADDRESS=1: with sanitizers
	@touch Fuzz/Package.swift  # so that files which came or went in the rooms are noticed
	@RUNS="$(RUNS)" TARGET="$(TARGET)" ADDRESS="$(ADDRESS)" scripts/fuzz.sh

oracle: setup ## random conditions on random events against a plain reading of them, a million pairs; PAIRS=…; SEED=… repeats a run
	@FALCO_ORACLE_PAIRS="$(or $(PAIRS),1000000)" FALCO_SEED="$(SEED)" swift test --filter OracleTests $(TEST_FLAGS)

live: setup ## tests that load the probe (as root), and only those
	@swift test --filter 'ProbeTests|CaptureProbeTests' $(TEST_FLAGS)

golden: setup ## write docs/fields.md and docs/diagnostics.md anew; look at the difference before you keep it
	@-FALCO_RECORD=1 swift test --filter GeneratedDocumentTests >/dev/null 2>&1
	@swift test --skip-build --filter GeneratedDocumentTests && git diff --stat -- docs

clean: ## remove what was built
	@rm -rf .build Benchmarks/.build Fuzz/.build Fuzz/.build-address Fuzz/.corpus
