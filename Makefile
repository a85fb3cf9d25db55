# Each target sets up what it needs; `make demo` and `make test` are the two commands of the README.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/.peers
FUZZ_SECONDS ?= 300
LOAD_SECONDS ?= 60

.PHONY: demo test fuzz security lint types docs bench bench-quick bench-guard bench-repair bench-catalogue load stress clean

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "codemode needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

$(PEERS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $(PEERS)

demo: $(READY)
	$(BIN)/codemode demo

# The tests start thousands of interpreters: each would compile all that it loads where none may write it down.
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)
	$(BIN)/python -m pytest -n 3 --dist worksteal

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

security: $(READY)
	$(BIN)/python -m tests.security $(if $(RECORD),--record --kills 200)

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python docs/generate.py

bench: $(PEERS)
	$(BIN)/python -m benchmarks --record

bench-quick: $(PEERS)
	$(BIN)/python -m benchmarks --quick

bench-guard: $(READY)
	$(BIN)/python -m benchmarks.guard

bench-repair: $(READY)
	$(BIN)/python -m benchmarks.repair

bench-catalogue: $(READY)
	$(BIN)/python -m benchmarks.catalogue $(if $(RECORD),--record docs/figures/catalogue.json)

load: $(READY)
	$(BIN)/python -m benchmarks.load --seconds $(LOAD_SECONDS) $(if $(RECORD),--record docs/figures/load.json)

stress: $(READY)
	$(BIN)/python -m tests.stress --kills 200
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest tests/session/test_state_machine.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
