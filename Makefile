# The list of commands. Each installs what it needs inside this checkout, some with apt. You need only git, make and Python 3.10 or later,
# unless the list says more.

PYTHON ?= python3
UV := $(or $(shell command -v uv),.tools/bin/uv)
RUN := $(UV) run --quiet --locked --all-packages
# The tests start Python often. It starts faster if it keeps what it has compiled, this project's code and pytest's assertions too.
export PYTHONDONTWRITEBYTECODE :=
# Python buffers its output, as on most machines: a test notices what isn't flushed.
export PYTHONUNBUFFERED :=
# A worker that has nothing left to do takes tests of another one: some take a minute.
PARALLEL := --numprocesses auto --dist worksteal
BENCH := --isolated --group bench
DEMO := --locked --all-packages --all-extras --no-default-groups

# Go leaves nothing in the home directory, and nothing that can't be deleted.
export GOPATH := $(CURDIR)/.tools/gopath
export GOCACHE := $(CURDIR)/.tools/gocache
export GOFLAGS := -modcacherw

# Debian's Python, for Debian's python3-apt: charmcraft asks apt for what a charm is built with.
SYSTEM_PYTHON := /usr/bin/python3
CHARMCRAFT := .tools/charmcraft/bin/charmcraft

# Built with Go, in the versions that the tests know.
ACT := .tools/go/act
ACTIONLINT := .tools/go/actionlint
SSHD := /usr/sbin/sshd
STAND_INS := tests/e2e/stand_ins
VALIDATOR := tests/workflow_validator
MERMAID := tests/e2e/mermaid

PLUGINS := $(wildcard python/pytest_plugins/*)
PACKAGES := $(PLUGINS) python/workflow_commands
PYTHONS := 3.10 3.11 3.12 3.13 3.14
PYTESTS := 7.4 8.4 9
# Each Python once, and each pytest.
VERSIONS := test-python3.10-pytest7.4 test-python3.11-pytest8.4 test-python3.12-pytest9 test-python3.13-pytest9 \
	test-python3.14-pytest9
# The oldest pair also runs the tests that take long; `make test` runs them with the newest pytest.
LONG := test-python3.10-pytest7.4
MATRIX := $(foreach python,$(PYTHONS),$(foreach pytest,$(PYTESTS),test-python$(python)-pytest$(pytest)))

# What CI runs: .ci/run one after the other, .github/workflows/__check.yaml each in a job. GitHub also runs `coverage`, which
# runs the packages' tests a second time.
CHECKS := test lint dist $(VERSIONS) e2e

.PHONY: bench browser charmcraft checks coverage demo dist e2e format help lint mutants optional-programs picture test test-matrix test-versions \
	try-charmcraft $(MATRIX)

help: ## Print this list
	@grep -E '^[a-z0-9-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.* ## (.*)/  make \1\t\2/' | expand -t 22

bench: | $(UV) ## Compare the plugins with pytest without plugins and with similar plugins, in about 15 minutes
	mkdir -p .benchmarks
	$(RUN) $(BENCH) pytest benchmarks -q -p no:randomly --benchmark-quiet --benchmark-json=.benchmarks/results.json
	$(RUN) python benchmarks/report.py .benchmarks/results.json

charmcraft: $(CHARMCRAFT) ## Install the charmcraft that packs the charms of the tests, with apt as root

checks: ## List the commands that .ci/run runs
	@printf '%s\n' $(CHECKS)

# Some tests make environments without coverage.py: Python finds it in PYTHONPATH. The tests that take long add next to nothing.
coverage: try-charmcraft | $(UV) ## Measure which lines and branches the packages' tests run; fail under 97 %
	mkdir -p .tools/coverage
	ln -sfn "$$($(RUN) python -c 'import coverage; print(*coverage.__path__)')" .tools/coverage
	echo 'import coverage; coverage.process_startup()' >.tools/coverage/sitecustomize.py
	$(RUN) coverage erase
	PYTHONPATH=$(CURDIR)/.tools/coverage $(RUN) coverage run -m pytest --quiet $(PARALLEL) -m 'not long' python
	$(RUN) coverage combine --quiet
	$(RUN) coverage report

# The suites need different versions of pytest.
demo: | $(UV) ## Pack the examples' charms and run their groups, on a real Juju or its simulator
	@echo "Installing what the examples need ..."
	@UV_PROJECT_ENVIRONMENT=.demo/jubilant $(UV) sync --quiet $(DEMO) --group jubilant
	@$(UV) run $(DEMO) --isolated --group operator python tests/demo.py .demo/jubilant/bin/python

dist: | $(UV) ## Build the plugins into dist/, and check that PyPI would take them
	rm -rf dist
	for plugin in $(PLUGINS); do $(UV) build --quiet --out-dir dist $$plugin || exit 1; done
	$(RUN) twine check --strict dist/*

e2e: optional-programs $(ACT) $(STAND_INS)/node_modules $(VALIDATOR)/node_modules $(MERMAID)/node_modules browser try-charmcraft | $(SSHD) $(UV) ## Run the workflows on this machine, with act and spread; needs Go and npm
	PATH="$(CURDIR)/.tools/go:$$PATH" $(RUN) pytest tests/e2e $(PARALLEL)

format: | $(UV) ## Format the code, and fix what the linter can
	$(RUN) ruff format
	$(RUN) ruff check --fix

lint: $(ACTIONLINT) $(VALIDATOR)/node_modules | $(UV) ## Check format, code, imports, types, scripts and workflows; needs Go and npm
	$(UV) lock --check --quiet
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) lint-imports --no-logo --no-cache
	$(RUN) $(BENCH) sh -ec 'for python in 3.10 3.14; do for code in "$$@"; do \
		echo "mypy --python-version $$python $$code"; mypy --python-version $$python $$code; done; done' - \
		$(PACKAGES) tests examples benchmarks
	$(RUN) shellcheck .ci/run tests/bin/* $(STAND_INS)/bin/*
	$(RUN) check-jsonschema --builtin-schema=vendor.github-workflows .github/workflows/*.yaml
	$(RUN) check-jsonschema --builtin-schema=vendor.dependabot .github/dependabot.yml
	$(RUN) zizmor --offline --quiet --persona=auditor .github
	$(RUN) $(ACTIONLINT)
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

test-versions: $(VERSIONS) ## Run the plugins' tests under every supported Python and every supported pytest

# pyenv starts a python3.X only if its version is selected: let uv find all of them.
$(MATRIX): export PYENV_VERSION := $(shell pyenv versions --bare 2>/dev/null | grep -E '^3\.1[0-9]' | paste -sd:)
$(MATRIX): python = $(patsubst python%,%,$(word 2,$(subst -, ,$@)))
$(MATRIX): pytest = $(word 3,$(subst -, ,$@))
$(MATRIX): try-charmcraft | $(UV)
	@if $(UV) python find $(python) >/dev/null 2>&1; then \
		within=; \
	elif [ $(python) = 3.14 ] && [ -e /etc/debian_version ] && [ "$$(id -u)" = 0 ]; then \
		within=tests/bin/with-python3.14; \
	elif [ "$$CI" = true ]; then \
		echo "Python $(python) is missing, and CI has to run it: install it, or select it with PYENV_VERSION." >&2; exit 1; \
	else \
		echo "# Python $(python), $(pytest): skipped, because Python $(python) isn't installed here"; exit 0; \
	fi; \
	echo "# Python $(python), $(pytest)"; \
	$$within $(RUN) --isolated --python $(python) --no-default-groups --group test --group $(pytest) \
		pytest $(PARALLEL) $(if $(filter $@,$(LONG)),,-m 'not long') $(PLUGINS)

# It shows the Allure report. GitHub's runners have Chrome.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ apt-get update --quiet=2 && apt-get install --quiet=2 chromium; }

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

# Without one of them, the tests that need it are left out.
optional-programs:
	@tests/bin/install-with-go concierge github.com/canonical/concierge@8dc236c
	@tests/bin/install-with-go spread github.com/canonical/spread/cmd/spread@32cad07

# Each worker of spread is an sshd.
$(SSHD):
	apt-get update --quiet=2 && apt-get install --quiet=2 openssh-server

$(STAND_INS)/node_modules: $(wildcard $(STAND_INS)/actions/*/*.mjs)
$(VALIDATOR)/node_modules: $(VALIDATOR)/validate.mjs
$(STAND_INS)/node_modules $(VALIDATOR)/node_modules $(MERMAID)/node_modules: %/node_modules: %/package.json %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund --loglevel=error
	npm --prefix $* run --silent --if-present build
	touch $@

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv
