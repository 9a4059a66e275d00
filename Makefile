.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
TEST_JOBS ?= 3
# pip asks the network for nothing but the pinned files.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq --no-input

.PHONY: help run install install-test test check lint clients bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

# An environment names its own path, so one that was moved is made anew.
ifeq ($(shell tools/make_venv --is-moved $(VENV)),yes)
$(VENV)/.installed: moved
.PHONY: moved
endif

$(VENV)/.installed: requirements.txt pyproject.toml
	@tools/make_venv "$(PYTHON)" $(VENV)
	@echo "Installing the pinned dependencies into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) uninstall --yes setuptools 2>/dev/null  # old Pythons put it into every environment
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.installed-test: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

install: $(VENV)/.installed ## make the environment in .venv

install-test: $(VENV)/.installed-test ## add what the tests need

run: $(VENV)/.installed ## serve the demo calendar on http://127.0.0.1:8000 (HOST= and PORT= change it)
	@exec $(BIN)/eventreg run-demo --host $(HOST) --port $(PORT)

test: $(VENV)/.installed-test clients ## run the test suite but its slow part; what was left out is named at the end
	@$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadgroup -m "not slow"

check: export EVENTREG_REQUIRE_ALL = 1
check: $(VENV)/.installed-test clients lint ## what CI runs: lint, format, types, import contracts, every test
	@$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadgroup

lint: $(VENV)/.installed-test ## lint, format, types, import contracts, doctests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest --doctest-modules eventreg -q -p no:xdist --ignore eventreg/migrations

clients: ## install the calendar programs the tests talk to, where the machine can
	@tools/install_clients || echo "Some calendar programs could not be installed; their tests will say so."

bench: install-test ## print the benchmark table
	@$(BIN)/python bench/run.py $(ONLY)

lock: install-test ## pin the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links pyproject.toml tools/build.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --group dev -c requirements.txt -o requirements-dev.txt

clean: ## remove the environments and caches, never the instance folder
	rm -rf .venv .venv-clients .mypy_cache .ruff_cache .import_linter_cache .hypothesis
