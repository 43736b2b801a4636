"""The options, the fixture `packed_charm`, and what the user is told of the cache."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_operator_cache._charms import Charms
    from pytest_operator_cache._store import Store

LINES = pytest.StashKey[list[str]]()
CHARMS = pytest.StashKey["Charms"]()
WORKER_OUTPUT = "pytest_operator_cache"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("packed charms (pytest-operator-cache)")
    group.addoption(
        "--charm-base",
        action="append",
        default=[],
        metavar="[CHARM=]BASE",
        help="Choose the packed charm for this base, such as ubuntu@24.04, where there are several; of one charm "
        "alone, by its name.",
    )
    group.addoption(
        "--charm-cache",
        action="store_true",
        help="Outside CI, keep what is packed, and take it from there until something in it changes.",
    )
    group.addoption("--charm-cache-clear", action="store_true", help="Remove the charms that are kept, then run on.")
    parser.addini("charm_cache", "Whether to keep packed charms, as --charm-cache does.", type="bool", default=False)
    parser.addini(
        "charm_cache_ignore",
        "More of what does not go into a charm, such as tests or docs/*.md: names, or paths from the charm's folder.",
        type="linelist",
        default=[],
    )


# After pytest-operator has been loaded, wherever it comes from.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []
    if config.getoption("charm_base"):
        _bases(config)
    if config.getoption("charm_cache_clear") and not hasattr(config, "workerinput"):
        store = _store()
        files, size = store.clear()
        config.stash[LINES].append(f"{files} removed from {store.folder}, {size / 1e6:,.0f} MB")
    if (operator := sys.modules.get("pytest_operator.plugin")) is None:
        return
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    if _in_ci():
        from pytest_operator_cache._ops_test import find_charms

        find_charms(operator, _charms(config), patch)
    elif _keeps(config):
        from pytest_operator_cache._ops_test import keep_charms

        keep_charms(operator, _charms(config), patch)


@pytest.fixture(scope="session")
def packed_charm(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that returns the absolute path of a packed charm.

    In CI it finds what was packed before. Elsewhere it packs the charm, once in a test run; with --charm-cache, once
    until something in it changes.
    """
    charms = _charms(pytestconfig)

    def path_of(charm_path: str | os.PathLike[str] = ".", *, base: str | None = None) -> Path:
        __tracebackhide__ = True
        path = os.fspath(charm_path)
        if _in_ci():
            return charms.find(path, base=base)
        return charms.pack(path, base, lambda: tmp_path_factory.mktemp("charms"))

    return path_of


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[WORKER_OUTPUT] = session.config.stash[LINES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LINES] += getattr(node, "workeroutput", {}).get(WORKER_OUTPUT, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[LINES]:
        terminalreporter.write_line(f"charm cache: {line}")


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"


def _keeps(config: pytest.Config) -> bool:
    return bool(config.getoption("charm_cache") or config.getini("charm_cache"))


def _store() -> Store:
    import platformdirs

    from pytest_operator_cache._store import Store

    return Store(platformdirs.user_cache_path("pytest-operator-cache"))


def _bases(config: pytest.Config) -> dict[str, str]:
    from pytest_operator_cache._charm import CharmError
    from pytest_operator_cache._charms import check_base

    bases = {}
    for value in config.getoption("charm_base"):
        charm, _, base = value.rpartition("=")
        try:
            bases[charm] = check_base(base)
        except CharmError as error:
            raise pytest.UsageError(f"--charm-base={value}: {error}") from None
    return bases


def _charms(config: pytest.Config) -> Charms:
    """Return the charms of this run, which know what its options say."""
    from pytest_operator_cache._charms import Charms

    if CHARMS not in config.stash:
        on_machine = ["--destructive-mode"] if config.getoption("destructive_mode", False) else []
        config.stash[CHARMS] = Charms(
            bases=_bases(config),
            arguments=[*config.getoption("charmcraft_args", []), *on_machine],
            store=_store() if _keeps(config) else None,
            ignore=config.getini("charm_cache_ignore"),
            tell=config.stash[LINES].append,
        )
    return config.stash[CHARMS]
