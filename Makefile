# Two commands do it all: `make up` and `make test`. Every target sets up what it needs first.
PYTHON ?= python3
BIN := .venv/bin
# -I: the script runs before anything is installed and must not pick up modules lying beside it.
LOCAL := @$(PYTHON) -I portal/local/venv.py local
DEV := @$(PYTHON) -I portal/local/venv.py dev
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help up test check bench fuzz mutate lock fmt docs screenshots

help: ## Show this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' Makefile | expand -t 15
	@echo "Variables: PORTAL_PORT (8000), PORTAL_HOME (.local), PYTHON (python3), ARGS for pytest"

up: ## Start the portal with everything it needs, in the foreground; Ctrl-C stops it
	$(LOCAL)
	@exec $(BIN)/python -m portal.local.up

test: ## Run every test on a PostgreSQL, a Valkey and a sandbox AWS of its own; ARGS="-k name" goes to pytest
	$(DEV)
	@$(BIN)/python -I portal/local/mlflow_venv.py --background
	@exec $(BIN)/python -m portal.local.run_with --browser --in-memory -- $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## Run linters, types, import contracts, deployment checks and architecture tests
	$(DEV)
	@exec $(BIN)/python -m portal.local.check

bench: ## Run one benchmark: make bench NAME=x runs benchmarks/x.py
	@test -n "$(NAME)" && test -f "benchmarks/$(NAME).py" || { echo "make bench NAME=x, where benchmarks/x.py is one of: $$(cd benchmarks && ls *.py 2>/dev/null | sed 's/\.py$$//' | xargs)" >&2; exit 2; }
	$(DEV)
	@exec $(BIN)/python -m portal.local.run_with -- $(BIN)/python "benchmarks/$(NAME).py" $(ARGS)

fuzz: ## Send made-up input to every operation of the API as every role, much more than the tests do; long
	$(DEV)
	@PORTAL_FUZZ_INPUTS=$(or $(INPUTS),25) exec $(BIN)/python -m portal.local.run_with -- $(BIN)/python -m pytest -n 2 tests/api/test_schemathesis.py $(ARGS)

mutate: ## Judge the tests of lifecycle and policies by changing the code under them; minutes
	$(DEV)
	@$(BIN)/python -m mutmut run && $(BIN)/python -m mutmut results

lock: ## Compile requirements/*.in into hashed lock files (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH: pip install uv" >&2; exit 2; }
	@for name in base local dev; do $(COMPILE) requirements/$$name.in -o requirements/$$name.lock || exit 1; done

fmt: ## Format the code and mend what the linter can mend
	$(DEV)
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

docs: ## Write the generated documents anew
	$(DEV)
	@$(BIN)/python manage.py lifecycle_docs
	@$(BIN)/python manage.py webhook_docs
	@$(BIN)/python manage.py deploy_templates
	@$(BIN)/python -m portal.api.docs
	@$(BIN)/python -m portal.api.problem_types
	@$(BIN)/python manage.py spectacular --file docs/openapi.yaml
	@$(BIN)/python -m portal.local.client_docs

screenshots: ## Take the pictures of docs/images from the portal that `make up` runs
	$(DEV)
	@exec $(BIN)/python -m portal.local.screenshots $(if $(PORTAL_PORT),http://127.0.0.1:$(PORTAL_PORT)) $(ARGS)
