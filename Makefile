# Two commands are enough: `make demo` and `make test`. Both install what is missing first.

SWIFT ?= swift
PREFIX ?= /usr/local
# Compiles for the machine it runs on; `make build ARCH=` gives a portable program.
ARCH ?= -Xcc -march=native
FLAGS = -c release $(ARCH)
PROGRAM = .build/release/fedsim

# For bench-peers and check-tools: a Python environment with numpy, torch and what their READMEs name.
VENV ?=
WORKLOADS ?= w1 w2 w3
ROUNDS ?= 5
TIMES ?= 3
# For dist: v2, v3 and v4 unless given.
LEVELS ?=
# For test-fast.
FAST ?= ^(BaseTests|TensorTests|CodecsTests|ClientTests|AggregationTests|DataTests|ReportTests|TidyTests)
# For drill: runs that are killed.
DRILLS ?= 100

# For matrix: RECORD=1 writes the record; ONLY is a regular expression of rows.
RECORD ?=
ONLY ?=

# For fuzz: what is tried, and where findings go (docs/fuzzing.md).
SEED ?=
TRIES ?=
MINUTES ?=
KINDS ?=
FIRST ?=
TRY ?=
WORKERS ?=
OUT ?=
# For tsan and asan: kernels, devices, and the engine with its workers.
ENGINE = WorkerPool|Determinism|Asynchronous|SynchronousClock|Resume
SANITIZED ?= ^TensorTests|^ClientTests|\.($(ENGINE))Tests

.PHONY: demo test build check lint setup install uninstall dist clean help bench bench-peers \
  drill check-tools fuzz tsan asan test-fast matrix quick facts

help:
	@echo "make demo      build, run the built-in example, print its table and where report.html is"
	@echo "make test      the whole test suite"
	@echo "make test-fast the suites that take seconds"
	@echo "make build     $(PROGRAM), optimised for this machine"
	@echo "make quick     .build-quick/debug/fedsim without the optimizer, seconds after an edit"
	@echo "make check     what a change must pass: format, warnings as errors, tests"
	@echo "make bench     build, then time the standard workloads beside the machine's limits"
	@echo "make bench-peers VENV=DIR  the same work in PyTorch and pfl, in turn with fedsim"
	@echo "make drill     kill runs at random instants and compare what they end with"
	@echo "make matrix    a thousand short runs against their recorded bits; RECORD=1 writes them anew"
	@echo "make fuzz      inputs that nobody wrote: SEED TRIES MINUTES KINDS TRY OUT (docs/fuzzing.md)"
	@echo "make tsan      kernels, devices and the engine under the thread sanitizer"
	@echo "make asan      the same under the address sanitizer"
	@echo "make check-tools VENV=DIR  fedsim's files read by TensorBoard, PyTorch and jsonschema"
	@echo "make facts     the generated parts of docs/strategies and docs/files.md, written anew"
	@echo "make install   the program, shell completion and manual page below PREFIX (now $(PREFIX))"
	@echo "make uninstall take them away again"
	@echo "make dist      dist/: programs for x86-64 v2, v3, v4 that need no Swift where they run"

demo: build
	$(PROGRAM) run --example

# Format and warnings first: what a change must pass is what continuous integration runs.
test: setup lint
	$(SWIFT) test $(FLAGS)
	$(SWIFT) run --package-path Tests/External --scratch-path .build-external

# Suites without whole runs: a look after an edit.
test-fast: setup
	$(SWIFT) test $(FLAGS) --filter '$(FAST)'

build: setup
	$(SWIFT) build $(FLAGS) --product fedsim

# Without the optimizer: for what does not train.
quick: setup
	$(SWIFT) build -c debug -Xswiftc -Onone $(ARCH) --scratch-path .build-quick --product fedsim

check: test

bench: build
	$(PROGRAM) bench

bench-peers: build
	@test -n "$(VENV)" || { echo "say where Python is: make bench-peers VENV=DIR"; exit 2; }
	$(VENV)/bin/python bench/compare.py --program $(PROGRAM) --rounds $(ROUNDS) \
	  --times $(TIMES) $(WORKLOADS)

drill: build
	python3 Tests/Tools/kill_drill.py $(PROGRAM) --times $(DRILLS)

matrix: build
	python3 Tests/Tools/behaviour_matrix.py --program $(PROGRAM) \
	  $(if $(RECORD),--record) $(if $(ONLY),--only '$(ONLY)')

facts: quick
	python3 Tests/Tools/strategy_facts.py .build-quick/debug/fedsim
	python3 Tests/Tools/preset_texts.py

# FLAGS are those of build and test: nothing is compiled twice.
fuzz: build
	$(SWIFT) build $(FLAGS) --product fuzz
	.build/release/fuzz $(PROGRAM) SEED=$(SEED) TRIES=$(TRIES) MINUTES=$(MINUTES) KINDS=$(KINDS) \
	  FIRST=$(FIRST) TRY=$(TRY) WORKERS=$(WORKERS) OUT=$(OUT)

tsan: setup
	scripts/sanitize thread '$(SANITIZED)'

asan: setup
	scripts/sanitize address '$(SANITIZED)'

check-tools: build
	@test -n "$(VENV)" || { echo "say where Python is: make check-tools VENV=DIR"; exit 2; }
	@set -e; out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; \
	$(PROGRAM) run --example --quiet --out "$$out/example"; \
	$(VENV)/bin/python Tests/Tools/check_tensorboard.py "$$out/example"; \
	$(VENV)/bin/python Tests/Tools/check_models.py $(PROGRAM); \
	$(VENV)/bin/python Tests/Tools/check_schema.py $(PROGRAM)

# Warnings are errors in every build (Package.swift), so building is the check for them.
lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

setup:
	@scripts/setup

SHARE = $(DESTDIR)$(PREFIX)/share
BASH_COMPLETION = $(SHARE)/bash-completion/completions/fedsim
ZSH_COMPLETION = $(SHARE)/zsh/site-functions/_fedsim
FISH_COMPLETION = $(SHARE)/fish/vendor_completions.d/fedsim.fish
MANUAL = $(SHARE)/man/man1/fedsim.1

install: build
	install -D -m 755 $(PROGRAM) "$(DESTDIR)$(PREFIX)/bin/fedsim"
	install -d "$(dir $(BASH_COMPLETION))" "$(dir $(ZSH_COMPLETION))" "$(dir $(FISH_COMPLETION))" \
	  "$(dir $(MANUAL))"
	$(PROGRAM) completion bash > "$(BASH_COMPLETION)"
	$(PROGRAM) completion zsh > "$(ZSH_COMPLETION)"
	$(PROGRAM) completion fish > "$(FISH_COMPLETION)"
	$(PROGRAM) man > "$(MANUAL)"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/fedsim" "$(BASH_COMPLETION)" "$(ZSH_COMPLETION)" \
	  "$(FISH_COMPLETION)" "$(MANUAL)"

# Without Swift where it runs; LEVELS of x86-64, each a build of its own.
dist: setup
	scripts/dist $(LEVELS)

clean:
	$(SWIFT) package clean
