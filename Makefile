# Two commands to know: `make demo` and `make test`. Each does its own set-up.
# `make soak` is the long form of the tests that maltreat the daemon.
SWIFT ?= swift
# Imports that a target does not declare are errors: the rings of Sources/README.md are defended by the compiler.
BORDERS := --explicit-target-dependency-import-check error
RELEASE := .build/release/reactord
# Some at a time: on two cores a thousand at once starve each other, and what waits for an answer runs out of time.
RUN_TESTS := SWIFT_BACKTRACE=enable=no $(SWIFT) test --skip-build --disable-xctest \
	--experimental-maximum-parallelization-width 8
BENCH_SWIFT := Benchmarks/Package.swift Benchmarks/Sources/BenchmarkTool

.PHONY: help demo test engines soak bench build serve check format clean

help:
	@echo "make demo    build, start a daemon, upload two real recordings, watch their analyses (KEEP=1: stay up)"
	@echo "make test    build and run all tests"
	@echo "make engines run the tests that need Docker, podman, an S3 store, Slurm and the like, each against one of its own"
	@echo "make soak    kill, stop, fill and mislead the real daemon, cut its power, play 10,000 simulated lives (20 minutes)"
	@echo "make bench   measure, beside RabbitMQ, Redis, NATS and PostgreSQL (ONLY=accept: one line; QUICK=1: a first look)"
	@echo "make build   release binary at $(RELEASE)"
	@echo "make serve   run the daemon with config.yml and var/"
	@echo "make check   format, import borders, tests, and the shipped config and actors"
	@echo "make clean   remove what was built and what the demo left"

demo: build
	@$(RELEASE) demo $(if $(KEEP),--keep)

build:
	@scripts/setup
	$(SWIFT) build -c release --product reactord $(BORDERS)
	$(SWIFT) build -c release --product reactord-supervisor

serve: build
	$(RELEASE) serve

test:
	@scripts/setup --tests
	python3 -m unittest discover -s Tests/ExamplesTests
	python3 -m unittest discover -s Tests/PythonTests
	$(SWIFT) build --build-tests $(BORDERS)
	$(RUN_TESTS)

# What needs programs too large for every machine: each is started here and stopped again; for one that is missing the
# reason is printed. ENGINES names some of them: docker podman slurm ceph cgroup2.
ENGINES ?=
engines:
	@scripts/setup --engines
	$(SWIFT) build --build-tests $(BORDERS)
	@scripts/try-engines $(ENGINES)

# What ships is maltreated: the release binary, by the test bundle; its machines are played from SEEDS. SOAK names the
# suites, REACTORD_SEED repeats choices.
SOAK ?= MaltreatmentTests|OnceTests|CrashTests|IngestTests|IngestKillTests|JobLoadTests|PowerCutTests|DamageTests
SEEDS ?= 1..10000
SOAK_REPORT := $(CURDIR)/.build/soak.tsv

soak: build
	@scripts/setup --tests
	$(SWIFT) build --build-tests $(BORDERS)
	$(SWIFT) build -c release --product reactord-sim $(BORDERS)
	@rm -f $(SOAK_REPORT)
	@status=0; \
	.build/release/reactord-sim --seeds $(SEEDS) || status=$$?; \
	REACTORD_SOAK=1 REACTORD_SOAK_REPORT=$(SOAK_REPORT) REACTORD_BINARY=$(CURDIR)/$(RELEASE) \
	$(RUN_TESTS) --filter '$(SOAK)' || status=$$?; \
	scripts/soak-table $(SOAK_REPORT); exit $$status

# Benchmarks/README.md says what is measured, how, and what can be chosen.
bench:
	@scripts/setup --bench
	@python3 Benchmarks/bench

check:
	@scripts/setup --tests
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests $(BENCH_SWIFT)
	$(MAKE) --no-print-directory test
	.build/debug/reactord check

format:
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests $(BENCH_SWIFT)

clean:
	rm -rf .build var/demo-* Benchmarks/.build Benchmarks/.tools
