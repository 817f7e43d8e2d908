# Everything runs in .venv, from the pinned and hashed packages in requirements*.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SEEDS ?= 0-2
EXAMPLES ?= 10000
JOBS ?= 1
# Tests of outages mostly wait: half as many workers again as there are cores keep the cores at work. A module stays together,
# so that what it prepares is made once; those that take longest come first.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(max(2, os.cpu_count() * 3 // 2))')
COMPILE = $(BIN)/python -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-emit-index-url --upgrade -q

.PHONY: help demo test laws lint faults bench docs snapshots lock broker clean
help:  ## what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/runtime  ## a company's leads become cash, on the embedded database, in a minute
	$(BIN)/ltc demo

test: $(VENV)/dev lint  ## all checks and all tests, on real servers
	$(BIN)/ltc schema check --golden tests/golden
	$(BIN)/python -m compileall -q src tests  # the commands that tests start import compiled modules, wherever bytecode is not written
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

laws: $(VENV)/dev  ## the laws of money on many more examples than a run of the tests has: EXAMPLES=10000
	LTC_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n auto tests/property/test_dated_cash_laws.py \
	  tests/property/test_cash_laws.py tests/property/test_money_histories.py

lint: $(VENV)/dev  ## ruff, mypy (--strict but for tests), import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

faults: $(VENV)/dev  ## kill, stop and cut off workers and servers by plan: SEEDS=1-200 JOBS=2 (docs/faults.md)
	PYTHONPATH=.:src $(BIN)/python -W ignore -m tests.e2e.faults --seeds $(SEEDS) --jobs $(JOBS) --break '$(BREAK)'

bench: $(VENV)/dev  ## ours beside the peer or the limit, in the same run
	$(BIN)/python -m benchmarks

docs: $(VENV)/dev  ## write the generated pages and the exported schemas anew
	$(BIN)/ltc schema export
	$(BIN)/python -m docs.generate

snapshots: $(VENV)/dev  ## write anew what every report says of the golden company; review the difference like code
	PYTHONPATH=.:src $(BIN)/python -m tests.snapshots.reports

lock: $(VENV)/dev  ## pin the newest versions that pyproject.toml allows
	$(COMPILE) --group build -o requirements.lock
	$(COMPILE) --group build --extra otel -o requirements-otel.lock
	$(COMPILE) --group dev --extra parquet --extra otel -o requirements-dev.lock

broker: $(VENV)/runtime  ## Apache Kafka on this machine, in the foreground (needs Java 17 and Maven)
	$(BIN)/python -m ltc_events.bus

clean:  ## remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ltc-events needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ && if [ -e $(VENV)/dev ]; then touch $(VENV)/dev; fi

$(VENV)/dev: $(BIN)/python requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(VENV)/runtime $@
