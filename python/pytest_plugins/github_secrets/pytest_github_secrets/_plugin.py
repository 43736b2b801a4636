"""The fixture `github_secrets`, and the hooks that mask its values from the start of the run."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_github_secrets._secrets import Secrets

VARIABLE = "SECRETS_FROM_GITHUB"
OPTION = "github_secrets_file"

_SECRETS = pytest.StashKey["Secrets"]()
# What ends the masking of streams: pytest and Python still write to them after a run, so the next run calls it.
_ENDED_RUNS: list[Callable[[], None]] = []


@pytest.fixture(scope="session")
def github_secrets(pytestconfig: pytest.Config) -> dict[str, str]:
    """The secrets that the workflow passed in SECRETS_FROM_GITHUB: a dict of str that never shows its values.

    If every secret is empty, as in a pull request from a fork, tests that use it are skipped.
    """
    from pytest_github_secrets._forms import describe_short, find_short

    # A fixture may have set the variable since the start.
    secrets = _get_secrets(pytestconfig)
    if isinstance(secrets, str):
        pytest.fail(secrets, pytrace=False)
    if not any(secrets.values()):
        pytest.skip(f"every secret in {VARIABLE} is empty: a pull request from a fork gets no secrets")
    if empty := [key for key, value in secrets.items() if not value]:
        warnings.warn(pytest.PytestWarning(f"empty in {VARIABLE}: {', '.join(empty)}"), stacklevel=1)
    if short := find_short(secrets):
        warnings.warn(pytest.PytestWarning(describe_short(short)), stacklevel=1)
    return secrets


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(OPTION, f"dotenv file with the secrets of github_secrets, if {VARIABLE} isn't set; not read in CI")


# Before pytest captures what is written, and before it imports a conftest.py.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, None]:
    _start(early_config)
    yield


# If a conftest.py has loaded this plugin.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    _start(config)


def _start(config: pytest.Config) -> None:
    if _SECRETS not in config.stash:
        while _ENDED_RUNS:
            _ENDED_RUNS.pop(0)()
    if VARIABLE in os.environ or config.getini(OPTION):
        _get_secrets(config)


def _get_secrets(config: pytest.Config) -> Secrets | str:
    """Return the secrets, masked from now on, or what is wrong: an error's traceback would contain the variable."""
    if _SECRETS in config.stash:
        return config.stash[_SECRETS]
    from pytest_github_secrets._secrets import SecretsError, load

    folder = config.inipath.parent if config.inipath else config.rootpath
    name = config.getini(OPTION)
    try:
        secrets = load(VARIABLE, folder / name if name else None)
    except SecretsError as error:
        return str(error)
    config.stash[_SECRETS] = secrets
    if any(secrets.values()):
        from pytest_github_secrets._mask import Masker
        from pytest_github_secrets._outputs import Masking, mask_capture, mask_streams, mask_trace

        mask = Masker(secrets.values())
        unmask_streams = mask_streams(mask)
        config.add_cleanup(lambda: _ENDED_RUNS.append(unmask_streams))
        mask_capture(config, mask)
        mask_trace(config, mask)
        config.pluginmanager.register(Masking(config, mask))
    return secrets
