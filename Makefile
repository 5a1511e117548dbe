# Two commands a user needs: `make run` and `make test`. Both work on a machine that has only
# python3 (3.11 or newer) and make.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
# A process a core and one more, because tests wait for children of theirs; four at most: each holds torch. A file's tests
# stay together, and with them what they share.
CORES := --numprocesses=$(shell $(PYTHON) -c "import os; print(min(4, 1 + (os.cpu_count() or 1)))") --dist=loadfile --no-loadscope-reorder

.PHONY: run test test-all lint docs lock clean

run: $(READY)
	@echo "A run of 850 seconds, an exam before and after: a quarter of an hour on two cores, about 100 MB in runs/default."
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
	$(MAKE) docs

# The site, into build/site; a warning is an error.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

# The exact versions that are installed, as requirements.lock.
lock: $(READY)
	$(PY) bench/lock.py

# torch is installed first and by exact version, so that pip takes a CPU build where one is at hand
# rather than resolving a newer CUDA one for something that merely depends on torch.
$(READY): pyproject.toml setup.py requirements.lock
	@echo "Making $(VENV): about 1.6 GB, most of it torch for the CPU."
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'autotelic needs Python 3.11 or newer; set PYTHON=/path/to/python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet -c requirements.lock torch
	$(PY) -m pip install --quiet -c requirements.lock -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache
