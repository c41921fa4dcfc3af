# Everything runs in .venv, made from the locked versions in requirements.txt.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(abspath $(BIN)):$(PATH)
SERVE_PORT ?= 5001
UI_PORT ?= 5000
export MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR := false

.DEFAULT_GOAL := help
.PHONY: help env repro test check ui serve clean lock format

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY) ## create the environment (.venv) from the locked versions

$(READY): requirements.txt pyproject.toml
	@sh .ci/bootstrap $(VENV)
	@touch $@

repro: env ## run the pipeline; only what changed runs again
	@darkroom params > /dev/null
	@dvc repro

test: env ## run the tests
	@python -m pytest

check: env ## formatting, lint and types
	@ruff format --check .
	@ruff check .
	@mypy

format: env ## mend formatting and what lint can mend
	@ruff format .
	@ruff check --fix .

ui: env ## compare experiments in the browser (UI_PORT=5000)
	@mlflow ui --host 127.0.0.1 --port $(UI_PORT)

serve: env ## answer over HTTP with the champion (SERVE_PORT=5001)
	@mlflow models serve -m models:/$$(darkroom params package.name)@champion --env-manager local --host 127.0.0.1 -p $(SERVE_PORT)

lock: env ## resolve the ranges of pyproject.toml again into requirements.txt
	@uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 --group dev pyproject.toml -o requirements.txt

clean: ## remove what the pipeline made and can make again; keeps data/raw, the records in mlflow.db and mlruns, and .venv
	@rm -rf data/images data/*.parquet models reports .cache
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
