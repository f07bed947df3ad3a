# Throughline's commands; the work is done by scripts/. `make help` lists them.
PYTHON ?= python3
VENV := .venv/bin
WORKERS ?= auto
.DEFAULT_GOAL := help
.PHONY: help run test kill-test check lint format coverage bench assets lock environment environment-dev

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: environment ## start Throughline at http://127.0.0.1:8000 with a demo (PORT=8001, DEMO=0 for an empty start)
	@PORT="$(PORT)" DEMO="$(or $(DEMO),1)" exec $(VENV)/python scripts/run.py

test: environment-dev ## every test this machine allows, on SQLite and PostgreSQL (T="path or options" narrows it)
	@exec $(VENV)/python -m pytest -n $(WORKERS) $(T)

kill-test: environment-dev ## kill a background worker twenty times in mid-import, on both databases (minutes)
	@exec $(VENV)/python -m pytest -n $(WORKERS) -m kill tests/jobs

check: lint ## lint, types, import contracts, templates, then all tests: what CI runs
	@$(MAKE) --no-print-directory test

lint: environment-dev ## all of check but the tests
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports --no-logo
	$(VENV)/djlint --quiet --lint templates reports/templates

format: environment-dev ## put the code into its one shape
	$(VENV)/ruff check --fix-only .
	$(VENV)/ruff format .

coverage: environment-dev ## which lines no test reaches
	$(VENV)/coverage erase
	$(VENV)/coverage run -m pytest -n $(WORKERS) $(T)
	$(VENV)/coverage combine --quiet
	$(VENV)/coverage report

bench: environment-dev ## measure speed on the large seeded data set
	@exec $(VENV)/python -m bench

assets: ## rebuild crm/static from package.json (needs Node; the results are committed)
	@exec bash scripts/assets.sh

lock: environment-dev ## pin requirements*.in anew, with every hash the registry has (UP=--upgrade for newer versions)
	@exec bash scripts/lock.sh $(UP)

environment:
	@$(PYTHON) scripts/environment.py

environment-dev:
	@$(PYTHON) scripts/environment.py --dev
