# `make demo` and `make test` need Python 3.11 or newer and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AIRFLOW ?= 3.3
CONSTRAINTS := constraints/airflow-$(AIRFLOW).txt

# What fails runs once more, by itself, and is named FLAKY if it then passes.
PYTEST := $(BIN)/python .ci/pytest_twice.py

.PHONY: help demo test test-properties test-ui test-postgres test-distributed test-matrix lint docs dist bench clean constraints
.DEFAULT_GOAL := help

help:
	@echo 'make demo              watch a real Airflow send, wait and report (KEEP=1 leaves its web UI running)'
	@echo 'make test              run all tests'
	@echo 'make test-properties   run the property tests with more examples'
	@echo 'make test-ui           test the connection form of the web UI in a real browser'
	@echo 'make test-postgres     run the tests that need a whole Airflow, on PostgreSQL'
	@echo 'make test-distributed  kill the parts of a distributed Airflow, and the API, under many waits'
	@echo 'make test-matrix       run the tests on every Airflow from 2.11 to 3.3'
	@echo 'make lint              run the linters, the type checkers and the import contracts'
	@echo 'make docs              build the docs site into site/'
	@echo 'make dist              build the wheel and the source distribution into dist/'
	@echo 'make bench             run the benchmarks'
	@echo 'make clean             remove what the other targets created'

demo: $(VENV)/installed
	@$(BIN)/python -m demo

test: $(VENV)/installed
	@$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder -m 'not system and not ui'
	@echo 'In a whole Airflow:'
	@$(PYTEST) -m 'system and not postgres'

# More examples for the tests that draw theirs, among them a hundred worlds for the poll.
test-properties: $(VENV)/installed
	@HYPOTHESIS_PROFILE=full $(PYTEST) -n 2 -m hypothesis

# In a real browser: Chromium, which .ci/install-chromium installs. SCREENSHOTS=docs/images renews the docs' pictures.
test-ui: $(VENV)/installed
	@COMMS_SCREENSHOTS=$(SCREENSHOTS) $(PYTEST) -m ui

# PostgreSQL enforces what SQLite does not, such as the length of a column. .ci/install-postgresql installs it.
test-postgres: $(VENV)/installed
	@$(PYTEST) -m system --database=postgresql

# PostgreSQL, Redis, two Celery workers, two triggerers: .ci/install-postgresql and .ci/install-redis install what is
# missing. What fails here fails: a wait that is lost now and then is lost.
test-distributed: $(VENV)/distributed
	@ONCE=1 $(PYTEST) -s -o timeout=600 trials

$(VENV)/distributed: $(VENV)/installed
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c $(CONSTRAINTS) --group distributed
	@touch $@

# One environment for each Airflow from 2.11 on and each Python that is installed.
test-matrix:
	@.ci/matrix

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing_examples.py
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

# A site that any web server, or none, can show: it asks for nothing from anywhere, and its search works offline.
docs: $(VENV)/installed
	@rm -rf site
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -j auto -d $(VENV)/doctrees -b html docs site
	@$(BIN)/python .ci/check_site.py site

# The same bytes from the same commit, wherever and whenever it is built.
dist: $(VENV)/installed
	@rm -rf dist
	@export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct); \
		$(BIN)/uv build --quiet --out-dir dist && $(BIN)/python .ci/check_dist.py dist --again

bench: $(VENV)/installed
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) site dist .demo .distributed .matrix .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/installed: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...'; exit 1; }
	@echo 'Installing Airflow $(AIRFLOW) and this provider into $(VENV) ...'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/install.txt uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c $(CONSTRAINTS) --group test --group lint --group bench --group docs -e .
	@touch $@

# Renews the tested sets of versions; review the changes before you commit them. Where an Airflow does not bound a
# library that has broken it since, constraints/bounds-*.txt does.
COMPILE = $(BIN)/uv pip compile --quiet --no-header --no-annotate --python-version 3.11 --group test pyproject.toml

constraints: $(VENV)/bin/uv
	: > $(VENV)/airflow.txt
	for airflow in lowest 2.11 3.0 3.1 3.2 3.3; do \
	  bounds=constraints/bounds-$$airflow.txt; \
	  [ $$airflow = lowest ] || echo "apache-airflow==$$airflow.*" > $(VENV)/airflow.txt; \
	  [ ! -f $$bounds ] || cat $$bounds >> $(VENV)/airflow.txt; \
	  groups=; [ $$airflow != 3.3 ] || groups='--group lint --group bench --group docs --group distributed'; \
	  $(COMPILE) $$groups -c $(VENV)/airflow.txt -o constraints/airflow-$$airflow.txt || exit 1; \
	done
	$(BIN)/uv --version | sed 's/uv \([0-9.]*\).*/uv==\1/' > constraints/install.txt

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
