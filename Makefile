# Two commands: `make demo` and `make test`. Both set up everything that they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2

.PHONY: help
help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt dev/setup.sh
	@bash dev/setup.sh $(VENV)
	@touch $(READY)

.PHONY: setup
setup: $(READY) ## The virtual environment, with all that is needed

.PHONY: control-plane
control-plane: $(READY) ## kube-apiserver, etcd and controller-manager, found or built
	@$(BIN)/anka-dev control-plane build

.PHONY: helm
helm: $(READY) ## The helm command, found or built
	@$(BIN)/anka-dev control-plane helm

.PHONY: judges
judges: $(READY) ## kstatus, kube-score and actionlint, which tests ask, built if possible; ARGS=--all: promtool too
	@$(BIN)/anka-dev control-plane judges $(ARGS)

.PHONY: demo
demo: $(READY) ## A build cloud with two simulated Macs, until Ctrl-C
	@$(BIN)/anka-dev demo

.PHONY: demo-check
demo-check: $(READY) ## The same, runs the commands it prints, and exits 0 or 1
	@$(BIN)/anka-dev demo --check

.PHONY: test
test: control-plane helm judges ## All tests
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

.PHONY: bench
bench: control-plane ## Measure what users wait for, beside references; ARGS="--only rest"
	@$(BIN)/anka-dev bench $(ARGS)

.PHONY: lint
lint: $(READY) ## Style, types, layers, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q . || { echo "not formatted: run make format"; exit 1; }
	@$(BIN)/mypy crds/anka_crds operator/anka_operator agent/anka_agent api-shim/anka_shim dev/anka_dev tests
	@$(BIN)/lint-imports
	@$(BIN)/python -m anka_crds.schema.generate --check
	@$(BIN)/anka-dev dashboards --check
	@$(BIN)/hadolint Dockerfile

.PHONY: format
format: $(READY) ## Put the code into its format
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

.PHONY: crds
crds: $(READY) ## The CRD YAML, from the models
	@$(BIN)/python -m anka_crds.schema.generate

.PHONY: dashboards
dashboards: $(READY) ## The chart's Grafana dashboards, from their description
	@$(BIN)/anka-dev dashboards

.PHONY: image
image: $(READY) ## The container image, by buildah, on a small Debian; IMAGE=name:tag
	@$(BIN)/anka-dev image $(IMAGE)

.PHONY: constraints
constraints: ## Pin the newest versions of all dependencies
	@bash dev/setup.sh --upgrade $(VENV)

.PHONY: clean
clean: ## Remove what was made here; the cached control plane stays
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
