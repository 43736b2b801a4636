"""pytest's hooks, the options, and the fixture `packed_charm`."""

from __future__ import annotations

import os
import re
import sys
import time
from argparse import ArgumentError
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_operator_cache import PackedCharm
    from pytest_operator_cache.cache.build import Cache
    from pytest_operator_cache.charm.packed import Options

LINES = pytest.StashKey[list[str]]()
STARTED = pytest.StashKey[float]()
# The key under which xdist's controller and its workers exchange the run's start and the lines.
XDIST = "pytest_operator_cache"
# What pytest or argparse raises if the name of an option is taken.
_CONFLICTS = (ArgumentError, ValueError)


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        group = parser.getgroup("packed charms (pytest-operator-cache)")
        group.addoption(
            "--charm-base",
            action="append",
            default=[],
            metavar="[CHARM=]BASE",
            help="If there are several packed charms, choose the one for this base, such as ubuntu@24.04. With CHARM=, "
            "only for the charm with this name.",
        )
        group.addoption(
            "--charm-cache",
            action="store_true",
            help="Outside CI, use packed charms in later runs too, until something that goes into them changes.",
        )
        group.addoption(
            "--charm-cache-clear", action="store_true", help="Remove all cached charms, then run the tests."
        )
        # Before 9.2, pytest finds out here that a name is taken.
        parser.parse_known_args([])
    except _CONFLICTS as error:
        raise _explain(error) from error
    parser.addini(
        "charm_cache", "Whether to use packed charms in later runs, as --charm-cache does.", type="bool", default=False
    )
    parser.addini(
        "charm_cache_ignore",
        "More of what does not go into a charm, such as tests or docs/*.md: names, or paths from the charm's folder.",
        type="linelist",
        default=[],
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, Any, None]:
    """Look again for a name that is taken, now that conftest.py has added its options."""
    outcome = yield
    try:
        if outcome.excinfo is None:
            parser.parse_known_args([])
        elif isinstance(outcome.excinfo[1], _CONFLICTS):
            raise outcome.excinfo[1]
    except _CONFLICTS as error:
        outcome.force_exception(_explain(error))


def _explain(error: Exception) -> Exception:
    """Return a usage error in place of an error about an option of this plugin."""
    if not (taken := re.search(r"(?<!\w-)\bcharm[-_](?:base|cache(?:[-_]clear)?)\b", str(error))):
        return error
    option = f"--{taken[0].replace('_', '-')}"
    return pytest.UsageError(
        f"a conftest.py or another plugin has an option {option}, as pytest-operator-cache has. Rename it there, or "
        "switch one of them off with pytest -p no:NAME: pytest --trace-config lists the plugins' names, and this one's "
        "is pytest_operator_cache."
    )


# After pytest-operator has been loaded, wherever it comes from.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []
    workerinput = getattr(config, "workerinput", {})
    config.stash[STARTED] = workerinput.get(XDIST) or _get_start()
    if config.getoption("charm_base"):
        _read_bases(config)
    if config.getoption("charm_cache_clear") and not workerinput:
        config.stash[LINES].append(_clear())
    if (operator := sys.modules.get("pytest_operator.plugin")) is None:
        return
    from pytest_operator_cache import _ops_test

    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    if _is_ci():
        _ops_test.find_charms(operator, _get_options(config), patch)
    else:
        _ops_test.cache_builds(operator, _get_options(config), _get_cache(config), patch)


@pytest.fixture(scope="session")
def packed_charm(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> PackedCharm:
    """Return a function that returns the absolute path of a packed charm.

    If CHARM_PATH or CRAFT_ARTIFACT names the charm that is asked for, it is that one. Else, in CI it finds the charm
    that was packed before. Elsewhere it packs the charm: once in a test run, or with --charm-cache once until something
    that goes into it changes.
    """
    from pytest_operator_cache._packed_charm import pack
    from pytest_operator_cache.charm.packed import Search
    from pytest_operator_cache.common.errors import without_traceback

    options, builds = _get_options(pytestconfig), _get_cache(pytestconfig)

    @cache
    def pack_once(folder: Path, base: str | None) -> Path:
        return pack(Search(folder, options, base=base), builds, tmp_path_factory.mktemp("charms"))

    @without_traceback
    def get_path(charm_path: str | os.PathLike[str] = ".", *, base: str | None = None) -> Path:
        folder = Path(charm_path).absolute()
        search = Search(folder, options, base=base)
        return search.path() if _is_ci() else search.path_in_variables() or pack_once(folder, base)

    return get_path


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[XDIST] = session.config.stash[LINES]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput[XDIST] = node.config.stash[STARTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LINES] += getattr(node, "workeroutput", {}).get(XDIST, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[LINES]:
        terminalreporter.write_line(f"charm cache: {line}")


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def _get_start() -> float:
    """Return when this run started: pytest, or the run-groups that has started it."""
    try:
        return float(os.environ["RUN_GROUPS_STARTED"])
    except (KeyError, ValueError):
        return time.time()


def _clear() -> str:
    from pytest_operator_cache.cache.store import open_store

    try:
        return open_store().clear()
    except OSError as error:
        return f"not cleared: {error}"


def _get_cache(config: pytest.Config) -> Cache:
    from pytest_operator_cache.cache.build import Cache
    from pytest_operator_cache.cache.store import open_store

    return Cache(
        open_store(),
        config.getini("charm_cache_ignore"),
        config.stash[LINES].append,
        is_asked_for=config.getoption("charm_cache") or config.getini("charm_cache"),
        run_start=config.stash[STARTED],
        written=_get_written(config),
    )


def _get_written(config: pytest.Config) -> list[Path]:
    """Return the files and folders that pytest itself writes in this run, as real paths."""
    named = [config.getoption(name, None) for name in ("log_file", "debug")]
    # Without pytest's plugin for logs, there is no such setting.
    with suppress(ValueError):
        named.append(config.getini("log_file"))
    if report := config.getoption("xmlpath", None):
        # As pytest does with this one alone.
        named.append(os.path.expanduser(os.path.expandvars(report)))  # noqa: PTH111, pathlib raises if there is no home
    if basetemp := config.getoption("basetemp", None):
        # Each worker of pytest-xdist has its own in that of the run.
        named.append(Path(basetemp).parent if hasattr(config, "workerinput") else basetemp)
    # A test may have changed the directory meanwhile.
    return [Path(config.invocation_params.dir, name).resolve() for name in named if name]


def _get_options(config: pytest.Config) -> Options:
    from pytest_operator_cache.charm.packed import Options

    arguments = [*config.getoption("charmcraft_args", [])]
    if config.getoption("destructive_mode", False):
        arguments.append("--destructive-mode")
    return Options(_read_bases(config), arguments)


def _read_bases(config: pytest.Config) -> dict[str, str]:
    from pytest_operator_cache.charm.source import check_base
    from pytest_operator_cache.common.errors import CharmError

    bases = {}
    for value in config.getoption("charm_base"):
        charm, _, base = value.rpartition("=")
        try:
            bases[charm] = check_base(base, where=f"--charm-base={value}")
        except CharmError as error:
            raise pytest.UsageError(str(error)) from None
    return bases
