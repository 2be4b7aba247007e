# `make demo` and `make test` do all of their own set-up on a Debian or Ubuntu machine with python3 (3.11 or newer).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SUDO   := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT    := DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends
# The real servers and programs that the tests talk to.
TEST_PROGRAMS  := named nsd knotd nginx dig gnutls-serv openssl soffice certspotter initdb chromium prometheus promtool icinga2 ip git
TEST_PACKAGES  := bind9 bind9-utils bind9-dnsutils nsd knot nginx-light gnutls-bin openssl libreoffice-calc-nogui \
                  certspotter postgresql chromium prometheus icinga2-bin iproute2 git

# Tests that compute run beside those that wait for servers and watch the clock; these go first where both want the processor.
BESIDE := architecture checks ct model pki report resolve settings store web zones

# Name servers live in sbin, PostgreSQL's server in a folder of its version: they are not on every user's PATH.
empty :=
export PATH := $(PATH):/usr/sbin:/sbin$(subst $(empty) ,,$(addprefix :,$(wildcard /usr/lib/postgresql/*/bin)))

.PHONY: help demo test bench lint types imports check clean

help:                ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(BIN)/dnscertscan ## scan a small fleet with known faults on loopback
	$(BIN)/dnscertscan demo

test: check          ## everything CI runs: style, types, architecture, tests

bench: $(BIN)/dnscertscan $(VENV)/.servers ## measure speed and memory on a loopback fleet (30 minutes); see benchmarks/README.md
	PYTHONPATH=tests $(BIN)/python benchmarks/bench.py

check: $(VENV)/.dev $(VENV)/.servers lint types imports
	@mkdir -p build; \
	nice -n 10 $(BIN)/pytest $(addprefix tests/,$(BESIDE)) > build/beside.log 2>&1 & beside=$$!; \
	$(BIN)/pytest $(addprefix --ignore=tests/,$(BESIDE)); first=$$?; \
	wait $$beside; second=$$?; cat build/beside.log; \
	[ $$first = 0 ] && [ $$second = 0 ]

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "dnscertscan needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(SUDO) apt-get update -q && $(SUDO) env $(APT) python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(BIN)/dnscertscan: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(BIN)/dnscertscan

# Asked once per environment: a program that is there already is not installed again.
$(VENV)/.servers: Makefile | $(BIN)/python
	@missing=""; for program in $(TEST_PROGRAMS); do \
	  command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	if [ -n "$$missing" ]; then echo "installing what the tests need:$$missing"; \
	  $(SUDO) apt-get update -q && $(SUDO) env $(APT) $(TEST_PACKAGES); fi
	@touch $@

clean:               ## remove the environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo-output build
