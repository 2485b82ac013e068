# make lab | test | test-everywhere | test-oldest | test-newest | notebooks | lint | bench | help
# Python 3.11 or newer is all that must be there: make PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
SUPPORTED = $(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'mflearn needs Python 3.11 or newer: make PYTHON=python3.12')"
UV = .venv-$*/bin/uv pip install --quiet --python .venv-$*/bin/python
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

help:
	@echo "make lab              open the course in JupyterLab"
	@echo "make test             lint, unit tests, doctests, the rules for notebooks, and all notebooks executed by nbval"
	@echo "make test-everywhere  the same tests and notebooks under the arithmetic of other processors; takes hours"
	@echo "make test-oldest      the same tests with the oldest packages that pyproject.toml allows"
	@echo "make test-newest      the same tests with the newest packages that there are today"
	@echo "make notebooks        run all notebooks and rewrite them in the form in which they are committed"
	@echo "make lint             ruff: lint and format, read only"
	@echo "make bench            measure against what one would use instead; ONLY=toy, or nmf, explorer, spark, ratings: one of these"

lab: .venv/ready
	@$(BIN)/mflearn lab

test: lint
	@$(BIN)/python -m pytest

test-everywhere: .venv/ready
	@$(BIN)/python tests/other_processors.py

# Each has an environment of its own, made anew every time; no constraints.txt. Only wheels: where the oldest version has
# none for this Python, the oldest that has one is taken. Of pyspark there are no wheels; nothing is compiled for it.
test-oldest: RESOLUTION := lowest-direct
test-newest: RESOLUTION := highest
test-oldest test-newest: test-%:
	@$(SUPPORTED)
	@$(PYTHON) -m venv --clear .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV) --only-binary :all: --no-binary pyspark --resolution $(RESOLUTION) -r pyproject.toml --extra test
	@$(UV) --no-deps -e .
	@.venv-$*/bin/python -m pip list --disable-pip-version-check
	@.venv-$*/bin/python -m pytest

notebooks: .venv/ready
	@$(BIN)/ruff format --quiet notebooks
	@$(BIN)/python tests/notebook_form.py

lint: .venv/ready
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

bench: .venv/ready
	@PYTHONPATH="tests:$$PYTHONPATH" $(BIN)/python -m bench $(ONLY)

.venv/ready: pyproject.toml constraints.txt
	@$(SUPPORTED)
	@$(PYTHON) -m venv .venv
	@$(PIP) -e ".[test]"
	@touch $@

.PHONY: help lab test test-everywhere test-oldest test-newest notebooks lint bench
