# Everything runs in .venv, made from the locked versions in requirements.txt.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(abspath $(BIN)):$(PATH)
SERVE_PORT ?= 5001
UI_PORT ?= 5000
APP_PORT ?= 5678
IMAGE ?= darkroom
DOCKER ?= docker
# two processes, which share the tests by file (tests/conftest.py), the longest group first
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder
export MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR := false

.DEFAULT_GOAL := help
.PHONY: help env repro test test-slow test-all recipes check ui serve app image clean lock format

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# a variable of the environment that happens to have the name does not count
given = $(filter command line,$(origin $(1)))

env: $(READY) ## create .venv from the locked versions (EXTRA=ray: with Ray, which then stays; EXTRA= takes it away)

# .ready holds the folder that the environment was made for: scripts in it name that folder, so a moved one is made anew.
# .extra holds the extra that was asked for last; its packages are locked in a file of its own.
INSTALLED := $(shell cat $(VENV)/.extra 2>/dev/null)
WANTED := $(strip $(if $(call given,EXTRA),$(EXTRA),$(INSTALLED)))
ifneq ($(shell cat $(READY) 2>/dev/null) $(INSTALLED),$(CURDIR) $(WANTED))
.PHONY: $(READY)
endif
$(READY): requirements.txt $(wildcard requirements-$(WANTED).txt) pyproject.toml
	@sh .ci/bootstrap $(VENV) $(WANTED)
	@pwd -P > $@

repro: env ## run the pipeline; stages that are up to date are skipped (SOURCE=path MINUTES=10: darkroom begin first)
	@$(if $(call given,SOURCE),$(BIN)/darkroom begin $(if $(call given,MINUTES),--minutes $(MINUTES)) -- "$(SOURCE)")
	@$(BIN)/darkroom params > /dev/null
	@test -n "$$MLFLOW_TRACKING_URI" || test -e mlflow.db || rm -rf models/bundle # without a store there is no release
	@$(BIN)/dvc repro

test: env ## run the tests but for the slow ones
	@$(PYTEST)

test-slow: env ## run the slow tests: every recipe, every moment of a kill, queued experiments
	@$(PYTEST) -m slow

test-all: test test-slow ## run all tests

recipes: env ## train each recipe for one short epoch on small pictures
	@$(PYTEST) -m slow tests/e2e/test_recipes.py

check: env ## check formatting, lint, types and the layers of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: env ## fix formatting and what lint can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

ui: env ## compare experiments in the browser (UI_PORT=5000)
	@address=$$($(BIN)/python -c 'import sys; from darkroom.tracking.view import address; print(address(*sys.argv[1:]))' \
		http://127.0.0.1:$(UI_PORT) "$$($(BIN)/darkroom params tracking.experiment)") && \
		echo "open $$address when it has started"
	@$(BIN)/mlflow ui --host 127.0.0.1 --port $(UI_PORT)

# connections at a time, seconds that an idle one is kept, connections that wait for the server; BLAS would spin beside the network
serve: export UVICORN_LIMIT_CONCURRENCY ?= 64
serve: export UVICORN_TIMEOUT_KEEP_ALIVE ?= 15
serve: export UVICORN_BACKLOG ?= 128
serve: export OPENBLAS_NUM_THREADS ?= 1
serve: env ## serve the champion over HTTP (SERVE_PORT=5001)
	@$(BIN)/darkroom versions > /dev/null # says in one line when there is none
	@exec $(BIN)/mlflow models serve -m models:/$$($(BIN)/darkroom params package.name)@champion --env-manager local --host 127.0.0.1 -p $(SERVE_PORT)

app: env ## serve the champion as a web page (APP_PORT=5678)
	@$(BIN)/darkroom app --port $(APP_PORT)

image: env ## build the container image of the champion (IMAGE=darkroom DOCKER=docker)
	@$(BIN)/darkroom versions > /dev/null
	@rm -rf models/image
	@$(BIN)/mlflow artifacts download -d models/image \
		-u models:/$$($(BIN)/darkroom params package.name)@champion/artifacts/bundle
	@$(DOCKER) build --file container/Dockerfile --build-arg MODEL=models/image/artifacts/bundle --tag $(IMAGE) .

LOCK := $(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-emit-index-url \
	--python-version 3.11
lock: env ## update all locks to the newest versions that pyproject.toml allows
	@$(LOCK) --group dev pyproject.toml -o requirements.txt
	@$(LOCK) --no-annotate --group serve --constraint requirements.txt -o container/requirements.txt
	@sed -n 's/^ray = \["\(.*\)"\].*/\1/p' pyproject.toml | \
		$(LOCK) --no-annotate --constraint requirements.txt -o requirements-ray.txt -

clean: ## delete what the pipeline can make again; keeps data/raw, reports/*.json, MLflow's records, .venv
	@rm -rf data/images data/*.parquet models reports/plots .cache
	@find reports -type f ! -name '*.json' -delete 2>/dev/null || true
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
