# Two commands a user needs: `make run` and `make test`. Both work on a machine that has only
# python3 (3.11 or newer) and make.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
# A process a core, four at most: each holds torch. A file's tests stay together, and with them what they share.
CORES := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: run test test-all lint clean

run: $(READY)
	$(VENV)/bin/autotelic run --out runs/default --again

test: $(READY) lint
	$(PY) -m pytest $(CORES) --cov --cov-report=term

# Also the corpus of attacks at every level of the sandbox, and uncontained: many minutes.
test-all: $(READY) lint
	$(PY) -m pytest $(CORES) -m "slow or not slow" --timeout=1800

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# torch is installed first and by exact version, so that pip takes a CPU build where one is at hand
# rather than resolving a newer CUDA one for something that merely depends on torch.
$(READY): pyproject.toml setup.py
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'autotelic needs Python 3.11 or newer; set PYTHON=/path/to/python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet torch==2.13.0
	$(PY) -m pip install --quiet -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache
