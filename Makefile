# Everything runs from the environment in .venv, which the first target that needs it creates.
# ENV=/path/to/venv uses another place for it.
ENV ?= .venv
PYTHON ?= python3.11
BIN = $(ENV)/bin
export OMP_NUM_THREADS ?= 1
export MPLBACKEND = Agg

.PHONY: refresh test test-all soak check bench docs clean

refresh: $(ENV)/ready
	$(BIN)/argelander refresh demo

test: $(ENV)/ready
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not browser"

test-all: test
	$(BIN)/pytest -n 2 --dist loadfile -m "slow or browser"

# Hostile input for hours; it goes on where it was stopped, and its verdicts lie in soak/.
soak: $(ENV)/ready
	$(BIN)/python -m tests.soak

check: $(ENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: refresh
	for question in $$(ls benchmarks/[!_]*.py | xargs -n1 basename -s .py); do \
	  echo "== $$question"; $(BIN)/python -m benchmarks.$$question || exit 1; done

docs: $(ENV)/ready
	$(BIN)/python -m schemas.dictionary
	$(BIN)/python -m tasks.reporting.feature_dictionary

# The stamp makes a second call start at once; a changed lock rebuilds.
$(ENV)/ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable ".[dev]"
	touch $@

clean:
	rm -rf $(ENV) lake release
