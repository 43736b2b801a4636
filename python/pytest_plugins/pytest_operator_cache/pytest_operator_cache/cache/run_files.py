"""What pytest itself writes in a run: its reports, its log and its temporary files. They go into no charm."""

from __future__ import annotations

import os
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest


def files_of_run(config: pytest.Config) -> list[Path]:
    """Return the files and folders that the options of a run name, as real paths."""
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


def patterns_below(folder: Path, paths: Iterable[Path]) -> list[str]:
    """Return a pattern, as in `charm_cache_ignore`, for each of the real paths that is below a folder."""
    root = folder.resolve()
    return [f"/{escape(path.relative_to(root).as_posix())}" for path in paths if root in path.parents]
