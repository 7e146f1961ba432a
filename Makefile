# `make` alone lists the targets. Python 3.11 or newer, git and make are all that is needed.

PYTHON ?= python3
BIN := .venv/bin
COVERAGE := 93

MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help install demo run test fmt lint type layers generated unit coverage hardening contract-on-moto terraform \
        monitoring schemas iam bench lock clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed  ## Install what requirements.lock names into .venv

# The stamp is younger than what it was made from, so this runs again only when one of those changes.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "orgctl needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo "installing into .venv"
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## A simulated organization in trouble, and orgctl putting it right (DEMO_STAY=1 stays up)
	@$(BIN)/python -m controller.demo

run: install  ## The same organization and daemon without the script, to play with
	@$(BIN)/python -m controller.demo --play

test: lint type layers generated unit  ## Everything a change has to pass

fmt: install  ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

lint: install  ## Formatting and lint
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

type: install  ## Types, strictly
	@$(BIN)/mypy

layers: install  ## Imports point down only
	@$(BIN)/lint-imports --no-cache --no-logo

generated: install  ## schemas/ and deploy/iam/ are what the code says
	@rm -rf .make/generated && mkdir -p .make/generated
	@$(BIN)/orgctl schema --out .make/generated/schemas >/dev/null
	@diff -ru schemas .make/generated/schemas || { echo "schemas/ is stale: make schemas"; exit 1; }
	@$(BIN)/python -m controller.iam_policies --out .make/generated/iam
	@for made in .make/generated/iam/*; do diff -u deploy/iam/$${made##*/} $$made || { echo "deploy/iam/ is stale: make iam"; exit 1; }; done

unit: install  ## The tests
	@$(BIN)/pytest -n 2 -m "not prometheus and not terraform"

coverage: install  ## Branch coverage by the tests, without the campaigns
	@$(BIN)/pytest -n 2 -m "not prometheus and not terraform" --ignore tests/hardening \
	    --cov --cov-report=term --cov-fail-under=$(COVERAGE)

hardening: install  ## The campaigns at full length: a crash at every write, 200 storms, many properties (a quarter of an hour)
	@ORGCTL_THOROUGH=1 ORGCTL_STORM_SEEDS=200 ORGCTL_EXAMPLES=25 $(BIN)/pytest -n 2 --dist worksteal tests/hardening

contract-on-moto: install  ## Show that plain moto fails the contract that the sandbox keeps
	@$(BIN)/pytest -n 2 --plain-moto tests/contract -m "not terraform"

terraform: install  ## Terraform and its AWS provider against the sandbox, where they are installed
	@$(BIN)/pytest -m terraform -rs tests/contract

monitoring: install  ## Dashboard and alert rules on a real Prometheus (Debian: apt-get install prometheus)
	@promtool check rules deploy/prometheus/rules.yaml
	@cd deploy/prometheus && promtool test rules rules_test.yaml
	@$(BIN)/pytest -m prometheus tests/deploy

schemas: install  ## Write schemas/ from the document models
	@$(BIN)/orgctl schema --out schemas

iam: install  ## Write deploy/iam/ from what the kinds of resources declare
	@$(BIN)/python -m controller.iam_policies --out deploy/iam

bench: install  ## Calls, ratios, CPU and memory, beside the bounds and other readers (SIZE=S, M, L or XL)
	@mkdir -p .make
	@$(BIN)/python -m bench --size $(or $(SIZE),S) --json .make/bench-$(or $(SIZE),S).json
	@$(BIN)/python -m bench.windows

# requirements.lock: everything; deploy/requirements.lock: what the container needs, in the same versions.
# --python-version is the oldest supported; --universal covers newer ones and other systems. Extras stay named: without
# them the pip of Python 3.11 looks past the pin for a newer release, and finds that it has no hash of that.
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-strip-extras \
               --python-version 3.11

lock: install  ## Bring requirements.lock up to date with pyproject.toml
	@test -x $(BIN)/uv || $(BIN)/python -m pip install -qq uv
	@$(COMPILE) --upgrade --all-extras pyproject.toml -o requirements.lock
	@$(COMPILE) --extra build --constraint requirements.lock pyproject.toml -o deploy/requirements.lock

clean:  ## Remove what the other targets made, .venv too
	@rm -rf .venv .make .demo build dist *.egg-info .mypy_cache .ruff_cache .coverage .coverage.*
