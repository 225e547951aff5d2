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

.PHONY: checkers
checkers: $(READY) ## kstatus, kube-score and actionlint, which tests run, built if possible
	@$(BIN)/anka-dev control-plane checkers

.PHONY: all-checkers
all-checkers: $(READY) ## The same, promtool and Dex: some 10 minutes and 160 MB, once
	@$(BIN)/anka-dev control-plane checkers --all

.PHONY: browser
browser: ## Chromium, for tests that need a browser, where it can be installed: as root of a Debian
	@bash dev/browser.sh

.PHONY: demo
demo: $(READY) ## A build cloud with two simulated Macs, until Ctrl-C; AUTH=1: REST answers only who logs in
	@$(BIN)/anka-dev demo $(if $(AUTH),--auth)

.PHONY: demo-check
demo-check: $(READY) ## The same, runs the commands it prints, and exits 0 or 1
	@$(BIN)/anka-dev demo --check $(if $(AUTH),--auth)

.PHONY: test
test: control-plane helm checkers ## All tests; CI=true: fail for unexpected skips; ARGS="-k words": pytest's
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(ARGS)

ROOT_TESTS := tests/e2e/test_chart_install.py tests/e2e/test_image.py tests/e2e/test_network_policy.py tests/unit/localkube/pods

.PHONY: test-root
test-root: control-plane helm ## The tests that run everything only as root: containers, image, NetworkPolicy
	@$(BIN)/pytest $(ROOT_TESTS) $(ARGS)

.PHONY: bench
bench: control-plane ## Measure what users wait for, beside references; ARGS="--only rest"
	@$(BIN)/anka-dev bench $(ARGS)

.PHONY: lint
lint: $(READY) ## Style, types, layers, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q . || { echo "not formatted: run make format"; exit 1; }
	@$(BIN)/mypy crds/anka_crds lib/anka_kube lib/anka_runtime lib/anka_registry operator/anka_operator operator/anka_scheduler agent/anka_agent api-shim/anka_shim dev/anka_dev dev/anka_sim dev/localkube tests
	@$(BIN)/lint-imports
	@$(BIN)/python -m anka_dev.crds.generate --check
	@$(BIN)/anka-dev dashboards --check
	@$(BIN)/anka-dev reference --check
	@$(BIN)/anka-dev portal check
	@$(BIN)/hadolint Dockerfile

.PHONY: format
format: $(READY) ## Put the code into its format
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

.PHONY: crds
crds: $(READY) ## The CRD YAML, from the models
	@$(BIN)/python -m anka_dev.crds.generate

.PHONY: dashboards
dashboards: $(READY) ## The chart's Grafana dashboards, from their description
	@$(BIN)/anka-dev dashboards

.PHONY: reference
reference: $(READY) ## The pages of docs/reference that are made from the code
	@$(BIN)/anka-dev reference

.PHONY: screenshots
screenshots: control-plane ## The pictures of the portal in the documentation: a real cloud, and Chromium (make browser)
	@$(BIN)/anka-dev portal screenshots

.PHONY: image
image: $(READY) ## The container image, by buildah, on a small Debian; IMAGE=name:tag
	@$(BIN)/anka-dev image $(IMAGE)

.PHONY: release
release: $(READY) ## The files of a release, into dist: wheel, installer, agent package, SBOM
	@bash dev/release.sh $(VENV) dist

.PHONY: constraints
constraints: ## Pin the newest versions of all dependencies, with hashes of what is released
	@bash dev/setup.sh --upgrade $(VENV)

.PHONY: clean
clean: ## Remove what was made here; the cached control plane stays
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
