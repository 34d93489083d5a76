# `make demo` and `make test` need Python 3.11 or newer and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AIRFLOW ?= 3.3
CONSTRAINTS := constraints/airflow-$(AIRFLOW).txt

.PHONY: demo test lint bench clean constraints
.DEFAULT_GOAL := help

help:
	@echo 'make demo         watch a real Airflow wait for an e-mail and a message operation (KEEP=1: keep the web UI up)'
	@echo 'make test         run all tests'
	@echo 'make lint         run the linters, the type checker and the import walls'
	@echo 'make bench        run the benchmarks'
	@echo 'make clean        remove what the others made'

demo: $(VENV)/installed
	@$(BIN)/python -m demo

test: $(VENV)/installed
	@$(BIN)/python -m pytest

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed
	@$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/installed: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...'; exit 1; }
	@echo 'Installing Airflow $(AIRFLOW) and this provider into $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/install.txt uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c $(CONSTRAINTS) --group test --group lint -e .
	@touch $@

# Renews the tested set of versions; look at what changes before you commit it.
constraints:
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group test --group lint -e . 'apache-airflow==$(AIRFLOW).*'
	$(BIN)/uv pip freeze --python $(BIN)/python --exclude-editable | grep -v '^uv==' > $(CONSTRAINTS)
	$(BIN)/uv pip freeze --python $(BIN)/python | grep '^uv==' > constraints/install.txt
