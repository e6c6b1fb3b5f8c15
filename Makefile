# Everything runs in .venv; the first target that needs it makes it.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ifeq ($(origin SECOND_PYTHON),undefined)
SECOND_PYTHON := $(shell for each in python3.13 $$HOME/.pyenv/versions/3.13.*/bin/python; do \
	$$each -c '' 2>/dev/null && echo $$each && break; done)
endif

# Reading the modules of a test run takes half as long where the run before has compiled them.
export PYTHONDONTWRITEBYTECODE :=

# A test for both kinds of database runs on the server only, on the second Python: see docs/decisions.md.
# pytest reads `[sqlite` and `sqlite]` as parts of a test's id. All of them: make test-all SECOND_TESTS=
SECOND_TESTS ?= not [sqlite and not sqlite]

.PHONY: install prepare demo test test-unit test-all check audit fuzz evals bench soak format clean

install: .venv/.dev

.venv/.base: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt -e .
	touch $@

.venv/.dev: .venv/.base
	$(PIP) install -c constraints.txt -e '.[dev]'
	touch $@

.venv-second/.dev: pyproject.toml constraints.txt
	$(SECOND_PYTHON) -m venv .venv-second
	.venv-second/bin/python -m pip --disable-pip-version-check --quiet install -c constraints.txt -e '.[dev]'
	touch $@

# What only has to be made once: the second environment, and the compiled modules of all tests, which
# pytest reads however few of them it is asked to list.
prepare: .venv/.dev $(if $(SECOND_PYTHON),.venv-second/.dev)
	$(BIN)/python -m pytest --collect-only -qq -k test_layout

demo: .venv/.base
	$(BIN)/python -m demo

# Single components without a server, a process or a browser: for the time between two edits.
UNIT := tests/agent tests/analysis tests/chat tests/conversation tests/evals tests/opik tests/testkit \
	tests/web $(wildcard tests/test_*.py)
NOT_UNIT := tests/chat/test_model_on_sockets.py tests/conversation/test_event_writer.py \
	tests/conversation/test_event_writer_delays.py tests/conversation/test_retention.py \
	tests/conversation/test_turn.py tests/evals/test_export_cases.py tests/evals/test_runner.py \
	tests/evals/test_ask_command.py tests/opik/test_against_sdk.py tests/opik/test_circuit_breaker.py \
	tests/testkit/test_audits.py tests/web/test_fuzz.py tests/web/test_openapi.py

test-unit: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow' $(UNIT) $(NOT_UNIT:%=--ignore=%)

test: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

# A file's slow tests share a browser, a service or an installation, so they stay on one worker.
test-all: .venv/.dev $(if $(SECOND_PYTHON),.venv-second/.dev)
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow
ifneq ($(SECOND_PYTHON),)
	tests/peers/on_real_mysql.sh .venv-second/bin/python -m pytest -n auto --dist worksteal \
		-m 'not slow' -k '$(SECOND_TESTS)'
else
	@echo 'NOT RUN: the suite on Python 3.13; no such Python was found (SECOND_PYTHON=...)'
endif

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml docker-compose.opik.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --check-metaschema deploy/helm/opik-assist/values.schema.json
	$(BIN)/zizmor --offline --no-progress --quiet .github

fuzz: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m hypothesis --hypothesis-profile=many
	$(BIN)/python -m pytest -m slow tests/fuzzing tests/web/test_fuzz.py

audit: .venv/.dev
	$(BIN)/python scripts/audit.py

# Without a model the generated and the small cases, or those of CASES=folder, are analysed only.
SMALL_CASES := build/evals/small-cases

evals: .venv/.dev
ifneq ($(MODEL),)
	$(BIN)/python -m evals.ask $(MODEL:%=--model %) --base-url '$(BASE_URL)' $(PROMPT:%=--prompt %) \
		$(CASES:%=--cases %) $(REPEAT:%=--repeat %) $(if $(BASELINE),--baseline) $(ARGS)
else ifneq ($(CASES),)
	$(BIN)/python -m evals --cases $(CASES) $(ARGS)
else
	$(BIN)/python -m evals
	$(BIN)/python -m evals.small_cases $(SMALL_CASES)
	$(BIN)/python -m evals --cases $(SMALL_CASES) --verbose
endif

bench: .venv/.dev
	$(BIN)/python -m bench.outline
	$(BIN)/python -m bench.analysis
	$(BIN)/python -m bench.delta_calls
	$(BIN)/python -m bench

# Takes SECONDS, USERS, SEED, CANCELS and DATABASE, as in `make soak SECONDS=3600 SEED=7`. CANCELS is
# an exact number of cancellations, however long they take; DATABASE is sqlite or server.
soak: .venv/.dev
	$(BIN)/python -m soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(USERS),--users $(USERS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(CANCELS),--cancels $(CANCELS)) \
		$(if $(DATABASE),--database $(DATABASE))

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-second .test-databases .test-peers build *.egg-info
