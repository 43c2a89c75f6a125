# Two commands on a fresh machine with Python and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev

.PHONY: help demo up test test-fast test-no-cache test-long histories check bench lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(RUN)  ## the story of a night, with real processes (STAY=1 leaves it running)
	@$(BIN)/rung demo $(if $(STAY),--stay)

up: $(RUN)  ## everything, on this machine, until ctrl-c
	@$(BIN)/rung up

test: check test-fast  ## checks, then every test under ten minutes

test-fast: $(DEV)
	$(BIN)/pytest -n 2 --dist loadfile

test-no-cache: $(DEV)  ## the shells' tests with every workflow task a replay
	RUNG_TEST_NO_CACHE=1 $(BIN)/pytest tests/shells -n 2

histories: $(DEV)  ## record the histories under tests/histories anew
	$(BIN)/python -m tests.histories.record

test-long: $(DEV)  ## real processes, killed at every state; minutes
	$(BIN)/pytest -m long --timeout 1800

check: $(DEV)  ## lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports

bench: $(DEV)  ## the figures, as a table
	$(BIN)/python -m bench

lock: $(DEV)  ## write the lock files anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q \
		--upgrade pyproject.toml --extra embedded --group build -o requirements/run.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q \
		-c requirements/run.txt pyproject.toml --extra embedded --group build --group dev -o requirements/dev.txt

clean:  ## forget the environment and everything the laptop's Rung remembers
	rm -rf $(VENV) .rung

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Rung needs into $(VENV) (the first time takes a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
