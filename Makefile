# `make demo` and `make test` need Python 3.11 or newer and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AIRFLOW ?= 3.3
CONSTRAINTS := constraints/airflow-$(AIRFLOW).txt

# Sockets are late on a machine that does other things too: what failed is run once more, by itself.
AGAIN := { echo 'What failed runs once more, by itself:'; $(BIN)/python -m pytest --quiet --last-failed --lfnf none; }

.PHONY: help demo test test-ui test-matrix lint bench clean constraints
.DEFAULT_GOAL := help

help:
	@echo 'make demo         watch a real Airflow wait for an e-mail and a message operation (KEEP=1: keep the web UI up)'
	@echo 'make test         run all tests'
	@echo 'make test-ui      use the connection form of the web UI in a real browser'
	@echo 'make test-matrix  run them on every Airflow from 2.11 to 3.3'
	@echo 'make lint         run the linters, the type checker and the import walls'
	@echo 'make bench        run the benchmarks'
	@echo 'make clean        remove what the others made'

demo: $(VENV)/installed
	@$(BIN)/python -m demo

test: $(VENV)/installed
	@$(BIN)/python -m pytest -n 3 --quiet -m 'not system and not ui' || $(AGAIN)
	@echo 'And in a whole Airflow:'
	@$(BIN)/python -m pytest --quiet -m system || $(AGAIN)

# In a real browser: Chromium, which .ci/install-chromium brings. SCREENSHOTS=docs/images renews the docs' pictures.
test-ui: $(VENV)/installed
	@COMMS_SCREENSHOTS=$(SCREENSHOTS) $(BIN)/python -m pytest --quiet -m ui || $(AGAIN)

# One environment for each Airflow from 2.11 on and each Python that is here.
test-matrix:
	@.ci/matrix

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .demo .matrix .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/installed: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...'; exit 1; }
	@echo 'Installing Airflow $(AIRFLOW) and this provider into $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/install.txt uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c $(CONSTRAINTS) --group test --group lint --group bench -e .
	@touch $@

# Renews the tested sets of versions; look at what changes before you commit it. Where an Airflow does not bound a
# library that broke it since, constraints/bounds-*.txt does.
COMPILE = $(BIN)/uv pip compile --quiet --no-header --no-annotate --python-version 3.11 --group test pyproject.toml

constraints: $(VENV)/bin/uv
	: > $(VENV)/airflow.txt
	for airflow in lowest 2.11 3.0 3.1 3.2 3.3; do \
	  bounds=constraints/bounds-$$airflow.txt; \
	  [ $$airflow = lowest ] || echo "apache-airflow==$$airflow.*" > $(VENV)/airflow.txt; \
	  [ ! -f $$bounds ] || cat $$bounds >> $(VENV)/airflow.txt; \
	  groups=; [ $$airflow != 3.3 ] || groups='--group lint --group bench'; \
	  $(COMPILE) $$groups -c $(VENV)/airflow.txt -o constraints/airflow-$$airflow.txt || exit 1; \
	done
	$(BIN)/uv --version | sed 's/uv \([0-9.]*\).*/uv==\1/' > constraints/install.txt

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
