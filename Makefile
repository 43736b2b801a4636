# The list of commands. Each sets up all that it needs inside this checkout; git, make and Python 3.10 or later are enough
# where the list says of nothing more.

PYTHON ?= python3
UV := $(or $(shell command -v uv),.tools/bin/uv)
RUN := $(UV) run --quiet --locked --all-packages
# The tests start Python again and again: it doesn't have to compile each time, wherever it is told to write nothing.
export UV_COMPILE_BYTECODE := 1
BENCH := --isolated --group bench

# Debian's Python, for Debian's python3-apt: charmcraft asks apt for what a charm is built with.
SYSTEM_PYTHON := /usr/bin/python3
CHARMCRAFT := .tools/charmcraft/bin/charmcraft

# Built with Go, in the versions that the tests know.
ACT := .tools/go/act
ACTIONLINT := .tools/go/actionlint
STAND_INS := tests/e2e/stand_ins

PLUGINS := $(wildcard python/pytest_plugins/*)
PACKAGES := $(PLUGINS) python/integration_test_charm
PYTHONS := 3.10 3.11 3.12 3.13
PYTESTS := 7.4 8.4 9
# Each Python once, and each pytest. The tests that take long run here alone.
VERSIONS := test-python3.10-pytest7.4 test-python3.11-pytest8.4 test-python3.12-pytest9 test-python3.13-pytest9
MATRIX := $(foreach python,$(PYTHONS),$(foreach pytest,$(PYTESTS),test-python$(python)-pytest$(pytest)))

.PHONY: bench charmcraft demo e2e format help lint test test-matrix test-versions try-charmcraft $(MATRIX)

help: ## Print this list
	@grep -E '^[a-z0-9-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.* ## (.*)/  make \1\t\2/' | expand -t 22

bench: | $(UV) ## Measure the plugins against pytest alone and beside their peers, in about 12 minutes
	mkdir -p .benchmarks
	$(RUN) $(BENCH) pytest benchmarks -q -p no:randomly --benchmark-quiet --benchmark-json=.benchmarks/results.json
	$(RUN) python benchmarks/report.py .benchmarks/results.json

charmcraft: $(CHARMCRAFT) ## Install the charmcraft that packs the charms of the tests, with apt as root

demo: | $(UV) ## Pack the example's charms and run its groups, on a real Juju or its simulator
	@$(RUN) --isolated --all-extras --no-default-groups --group operator python examples/demo.py

e2e: $(ACT) $(STAND_INS)/node_modules try-charmcraft | $(UV) ## Run the workflows on this machine, by act; needs Go and npm
	$(RUN) pytest tests/e2e --numprocesses auto

format: | $(UV) ## Format the code, and mend what the linter can
	$(RUN) ruff format
	$(RUN) ruff check --fix

lint: $(ACTIONLINT) | $(UV) ## Check format, code, types, scripts and workflows; needs Go
	$(UV) lock --check --quiet
	$(RUN) ruff format --check
	$(RUN) ruff check
	set -e; for python in 3.10 3.14; do for code in $(PACKAGES) tests examples benchmarks; do \
		echo "mypy --python-version $$python $$code"; \
		$(RUN) $(BENCH) mypy --python-version $$python $$code; done; done
	$(RUN) shellcheck .ci/run tests/bin/* $(STAND_INS)/bin/*
	$(RUN) check-jsonschema --builtin-schema=vendor.github-workflows .github/workflows/*.yaml
	$(RUN) zizmor --offline --quiet --persona=auditor .github
	$(RUN) $(ACTIONLINT)

test: try-charmcraft | $(UV) ## Run all tests but e2e, in random order
	$(RUN) pytest --numprocesses auto

test-matrix: $(MATRIX) ## Run the plugins' tests under every supported Python with every supported pytest

test-versions: $(VERSIONS) ## Run the plugins' tests under every supported Python and every supported pytest

# pyenv starts a python3.X only where its version is selected: let uv find all of them.
$(MATRIX): export PYENV_VERSION := $(shell pyenv versions --bare 2>/dev/null | grep -E '^3\.1[0-9]' | paste -sd:)
$(MATRIX): python = $(patsubst python%,%,$(word 2,$(subst -, ,$@)))
$(MATRIX): pytest = $(word 3,$(subst -, ,$@))
$(MATRIX): try-charmcraft | $(UV)
	@if $(UV) python find $(python) >/dev/null 2>&1; then \
		echo "# Python $(python), $(pytest)" && \
		$(RUN) --isolated --python $(python) --no-default-groups --group test --group $(pytest) \
			pytest --numprocesses auto $(if $(filter $@,$(VERSIONS)),,-m 'not long') $(PLUGINS); \
	elif [ "$$CI" = true ]; then \
		echo "Python $(python) is missing, and CI has to run it: install it, or select it with PYENV_VERSION." >&2; exit 1; \
	else \
		echo "# Python $(python), $(pytest): skipped, since there is no Python $(python) here"; \
	fi

# Without it, the tests that pack charms are skipped.
try-charmcraft:
	-@$(MAKE) --silent $(CHARMCRAFT)

$(CHARMCRAFT): uv.lock | $(UV)
	dpkg --status python3-apt >/dev/null 2>&1 || { apt-get update --quiet=2 && apt-get install --quiet=2 python3-apt; }
	UV_PROJECT_ENVIRONMENT=.tools/charmcraft $(UV) sync --quiet --locked --only-group charmcraft --python $(SYSTEM_PYTHON)
	cd .tools/charmcraft/lib/python3*/site-packages && \
		ln -sf $$($(SYSTEM_PYTHON) -I -c 'import apt, pathlib; print(pathlib.Path(apt.__file__).parents[1])')/apt* .
	touch $@

$(ACT): Makefile
	GOBIN=$(CURDIR)/.tools/go go install github.com/nektos/act@v0.2.87

$(ACTIONLINT): Makefile
	GOBIN=$(CURDIR)/.tools/go go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

$(STAND_INS)/node_modules: $(STAND_INS)/package.json $(STAND_INS)/package-lock.json $(wildcard $(STAND_INS)/actions/*/*.mjs)
	npm --prefix $(STAND_INS) ci --no-audit --no-fund --loglevel=error
	npm --prefix $(STAND_INS) run --silent build
	touch $@

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv
