# Everything that a person or CI does here. `make help` lists it.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run ui test check lint types contracts format docs bench bench-audit bench-families bench-nets bench-errors bench-quality bench-scaling bench-tuning clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv, and the git hooks
	@if git rev-parse --git-dir >/dev/null 2>&1; then $(BIN)/pre-commit install; fi

run: $(STAMP) ## compare all model families on the flagship, projects/ski-runs
	@$(BIN)/piste run projects/ski-runs

ui: $(STAMP) ## open the results in MLflow
	@$(BIN)/piste ui

test: $(STAMP) ## run the tests
	@$(BIN)/pytest -n 2

check: lint types contracts test ## all that CI asks for

lint: $(STAMP) ## ruff: faults and layout
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP) ## mypy
	@$(BIN)/mypy

contracts: $(STAMP) ## who may import whom
	@$(BIN)/lint-imports --no-logo

format: $(STAMP) ## lay the code out
	@$(BIN)/ruff check --fix --select I .
	@$(BIN)/ruff format .

docs: $(STAMP) ## renew what docs/ takes from the code and the benchmarks
	@$(BIN)/python docs/generate.py

bench: $(STAMP) ## time and score against the notebook that a person would write
	@$(BIN)/python -m benchmarks.naive

bench-families: $(STAMP) ## time each exact shortcut against its loop
	@$(BIN)/python -m benchmarks.families

bench-nets: $(STAMP) ## time stacked networks against networks trained one by one
	@$(BIN)/python -m benchmarks.nets

bench-tuning: $(STAMP) ## time and score of choosing inside the training rows against a full grid
	@$(BIN)/python -m benchmarks.tuning

bench-scaling: $(STAMP) ## time and memory from a thousand rows to a million
	@$(BIN)/python -m benchmarks.scaling

bench-errors: $(STAMP) ## held-out error of each family against that notebook, over five splits
	@$(BIN)/python -m benchmarks.errors

bench-quality: $(STAMP) ## score of the champion against tuned boosting and networks
	@$(BIN)/python -m benchmarks.quality

bench-audit: $(STAMP) ## plant faults into real tables, and count how many of them piste check finds
	@$(BIN)/python -m benchmarks.audit

clean: ## remove .venv and every cache; results in mlruns/ stay
	@rm -rf $(VENV) build .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp says where .venv was made: one whose folder has moved, or whose python is gone, is made afresh.
ifneq ($(shell $(BIN)/python -c 'print(open("$(STAMP)").read())' 2>/dev/null),$(CURDIR))
$(shell rm -f $(STAMP))
endif

# The stamp is gone while an installation is under way, so one that was interrupted starts afresh the next time.
# A python may be a shim that stands for a version which is not there: each is asked, not only looked for.
$(STAMP): pyproject.toml constraints.txt
	@if [ ! -e $@ ]; then \
		found=; \
		for python in python3.11 python3.12 python3.13 python3 python; do \
			if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then echo "piste needs Python 3.11 or newer, but found none: install python3.11 and say make again" >&2; exit 1; fi; \
		echo "Setting up $(VENV) with $$($$found --version), a few minutes the first time ..."; \
		rm -rf $(VENV); \
		if ! $$found -m venv $(VENV); then \
			rm -rf $(VENV); echo "$$found cannot make a virtual environment: install its venv module (on Debian: python3-venv)" >&2; exit 1; \
		fi; \
	else \
		echo "Bringing $(VENV) up to date ..."; \
	fi
	@rm -f $@
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@pwd -P > $@
