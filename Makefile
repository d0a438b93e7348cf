PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
Q ?= How many kilometres longer is the Danube than the Rhine?
SOURCES ?= --corpus pocket --db pocket

unexport PYTHONDONTWRITEBYTECODE # else each of the hundreds of processes of the tests compiles the sources again

.PHONY: help ask test test-all chaos check docs wheel lock audit clean

help:
	@echo 'make ask [Q="…"]   set everything up once and answer a question with the embedded model'
	@echo 'make test          run the fast tests (sets up what it needs; downloads no model)'
	@echo 'make test-all      run every test, with the embedded model and the long fuzz counts'
	@echo 'make chaos         kill runs 500 times, damage files, race processes; prints the counts'
	@echo 'make check         ruff, mypy and pyright'
	@echo 'make docs          build the documentation into build/site'
	@echo 'make wheel         build the wheel into dist/'
	@echo 'make audit         known vulnerabilities of the locked dependencies, and sbom.json; make lock renews the lock'

ask: $(VENV)/.local
	@$(BIN)/crowquill models pull
	@$(BIN)/crowquill ask $(SOURCES) "$(Q)"

test: $(VENV)/.dev
	$(BIN)/pytest -n 3 --dist worksteal -m "not slow and not real_model"

test-all: $(VENV)/.dev $(VENV)/.local
	$(BIN)/crowquill models pull
	$(BIN)/pytest

chaos: $(VENV)/.dev
	$(BIN)/pytest -q -s -p no:xdist tests/chaos tests/stories/test_kill.py tests/memory/test_migrations.py -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright

docs: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: $(VENV)/.dev
	rm -rf build dist
	$(BIN)/python -m build --wheel --outdir dist .

lock: $(VENV)/.dev $(VENV)/.local
	$(BIN)/python .ci/lock.py > .ci/constraints.txt

audit: $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit cyclonedx-bom
	$(BIN)/cyclonedx-py requirements .ci/constraints.txt -o sbom.json
	$(BIN)/pip-audit --strict --disable-pip --no-deps -r .ci/constraints.txt # strict: what cannot be looked up fails

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.local: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[local]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
