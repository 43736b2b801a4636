# The list of commands. Each installs what it needs inside this checkout, some with apt. You need only git, make and Python 3.10 or later,
# unless the list says more.

PYTHON ?= python3
UV := $(or $(shell command -v uv),.tools/bin/uv)
RUN := $(UV) run --quiet --locked --all-packages
# The tests start Python often. It starts faster if it keeps what it has compiled, this project's code and pytest's assertions too.
export PYTHONDONTWRITEBYTECODE :=
# Python buffers its output, as on most machines: a test notices what isn't flushed.
export PYTHONUNBUFFERED :=
# No command depends on what the shell has set for other projects. uv.lock says where uv gets packages from.
KEPT := GIT_SSL_% PIP_CERT PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_INDEX_URL PIP_TRUSTED_HOST UV_CACHE_DIR
unexport $(filter-out $(KEPT),$(filter GIT_% PIP_% PYTEST_% TOX_% UV_%,$(.VARIABLES)))

# A worker that has nothing left to do takes tests of another one: some take a minute. While a test waits, another one runs.
PARALLEL := --numprocesses $(shell expr $$(nproc) + 1) --dist worksteal
BENCH := --isolated --group bench
DEMO := --locked --all-packages --all-extras --no-default-groups
STAND_INS := tests/e2e/stand_ins
VALIDATOR := tests/workflow_validator

PLUGINS := $(wildcard python/pytest_plugins/*)
PACKAGES := $(PLUGINS) python/workflow_commands
PYTHONS := 3.10 3.11 3.12 3.13 3.14
PYTESTS := 7.4 8.4 9
# Each Python once, and each pytest: `coverage` is the run with Python 3.13 and pytest 9.
VERSIONS := test-python3.10-pytest7.4 test-python3.11-pytest8.4 test-python3.12-pytest9 coverage test-python3.14-pytest9
# The oldest pair also runs the tests that take long; `make test` runs them with the newest pytest.
LONG := test-python3.10-pytest7.4
MATRIX := $(foreach python,$(PYTHONS),$(foreach pytest,$(PYTESTS),test-python$(python)-pytest$(pytest)))

# What CI runs: .ci/run one after the other, .github/workflows/__check.yaml each in a job.
CHECKS := test lint dist $(VERSIONS) e2e

.PHONY: bench charmcraft checks coverage demo dist e2e format help lint mutants picture test test-matrix test-versions \
	try-charmcraft unit $(MATRIX)

help: ## Print this list
	@grep -E '^[a-z0-9-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.* ## (.*)/  make \1\t\2/' | expand -t 22

bench: | $(UV) ## Compare the plugins with pytest without plugins and with similar plugins, in about 20 minutes
	mkdir -p .benchmarks
	$(RUN) $(BENCH) pytest benchmarks -q -p no:randomly --benchmark-quiet --benchmark-json=.benchmarks/results.json
	$(RUN) python benchmarks/report.py .benchmarks/results.json

charmcraft: | $(UV) ## Install the charmcraft that packs the charms of the tests, with apt as root
	tests/bin/install charmcraft

checks: ## List the commands that .ci/run runs
	@printf '%s\n' $(CHECKS)

coverage: | $(UV) ## Measure which lines and branches the packages' tests run with Python 3.13; fail under 97 %
	tests/bin/with-python 3.13 $(RUN) --isolated --python 3.13 tests/bin/coverage $(PARALLEL)

# The suites need different versions of pytest.
demo: | $(UV) ## Pack the examples' charms and run their groups, on a real Juju or its simulator
	@echo "Installing what the examples need ..."
	@UV_PROJECT_ENVIRONMENT=.demo/jubilant $(UV) sync --quiet $(DEMO) --group jubilant
	@$(UV) run $(DEMO) --isolated --group operator python tests/demo.py .demo/jubilant/bin/python

dist: | $(UV) ## Build the plugins into dist/, and check that PyPI would take them
	rm -rf dist
	for plugin in $(PLUGINS); do $(UV) build --quiet --out-dir dist $$plugin || exit 1; done
	$(RUN) twine check --strict dist/*

e2e: | $(UV) ## Run the workflows on this machine, with act and spread; needs Go and npm
	tests/bin/install concierge spread act chromium sshd $(STAND_INS) $(VALIDATOR) tests/e2e/mermaid
	-tests/bin/install charmcraft
	PATH="$(CURDIR)/.tools/go:$$PATH" $(RUN) pytest tests/e2e $(PARALLEL)

format: | $(UV) ## Format the code, and fix what the linter can
	$(RUN) ruff format
	$(RUN) ruff check --fix

lint: | $(UV) ## Check format, code, imports, types, scripts and workflows; needs Go and npm
	$(UV) lock --check --quiet
	$(RUN) ruff format --check
	$(RUN) ruff check
	PYTHONPATH=tests $(RUN) lint-imports --no-logo --no-cache
	$(RUN) $(BENCH) sh -ec 'for python in 3.10 3.14; do for code in "$$@"; do \
		echo "mypy --python-version $$python $$code"; mypy --python-version $$python $$code; done; done' - \
		$(PACKAGES) tests examples benchmarks
	$(RUN) shellcheck .ci/run $(filter-out %.py,$(wildcard tests/bin/* $(STAND_INS)/bin/*))
	$(RUN) check-jsonschema --builtin-schema=vendor.github-workflows .github/workflows/*.yaml
	$(RUN) check-jsonschema --builtin-schema=vendor.dependabot .github/dependabot.yml
	$(RUN) zizmor --offline --quiet --persona=auditor .github
	tests/bin/install actionlint $(VALIDATOR)
	.tools/go/actionlint
	git ls-files --cached --others --exclude-standard '*.md' '.github/workflows/*.yaml' '$(VALIDATOR)/callers/*' | \
		xargs node $(VALIDATOR)/dist/validate.mjs

# Python recognizes compiled code by the file's time in seconds and its size: two mutants can have the same.
mutants: export PYTHONDONTWRITEBYTECODE := 1
mutants: try-charmcraft | $(UV) ## Break the packages in 100 places, and see whether their tests notice; in about 30 minutes
	$(RUN) --isolated --group mutants python benchmarks/mutants.py $(ARGUMENTS)

picture: | $(UV) ## Draw the end of `make demo` for the README
	$(RUN) python tests/picture.py examples/demo.svg

test: try-charmcraft | $(UV) ## Run all tests but e2e, in random order
	$(RUN) pytest $(PARALLEL)

test-matrix: $(MATRIX) ## Run the plugins' tests under every supported Python with every supported pytest

unit: | $(UV) ## Run the quick tests: they need no installation, no charmcraft and no network
	$(RUN) pytest $(PARALLEL) -m 'not long and not slow'

test-versions: $(VERSIONS) ## Run the plugins' tests under every supported Python and every supported pytest

$(MATRIX): python = $(patsubst python%,%,$(word 2,$(subst -, ,$@)))
$(MATRIX): pytest = $(word 3,$(subst -, ,$@))
$(MATRIX): try-charmcraft | $(UV)
	tests/bin/with-python $(python) $(RUN) --isolated --python $(python) --no-default-groups --group test --group $(pytest) \
		pytest $(PARALLEL) $(if $(filter $@,$(LONG)),,-m 'not long') $(PLUGINS)

# Without it, the tests that pack charms are skipped.
try-charmcraft: | $(UV)
	-@tests/bin/install charmcraft

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv
