"""The fixture `github_secrets`, and the hooks that mask its values from the moment it has been set up."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_github_secrets._secrets import Secrets

VARIABLE = "SECRETS_FROM_GITHUB"


@pytest.fixture(scope="session")
def github_secrets(pytestconfig: pytest.Config) -> dict[str, str]:
    """Return the secrets that the workflow passed in SECRETS_FROM_GITHUB: a dict of str, whose text shows no value.

    A test that asks for it is skipped where every secret is empty, as in a pull request from a fork.
    """
    from pytest_github_secrets._parse import Problem
    from pytest_github_secrets._secrets import read

    secrets = read(VARIABLE)
    if isinstance(secrets, Problem):
        pytest.fail(secrets.describe(VARIABLE), pytrace=False)
    if not any(secrets.values()):
        pytest.skip(f"every secret in {VARIABLE} is empty, as in a pull request from a fork, which gets none")
    keep_secret(secrets, pytestconfig)
    return secrets


def keep_secret(secrets: Secrets, config: pytest.Config) -> None:
    """Mask the values in all that pytest writes from now on, and warn of those that are empty or too short for it."""
    from pytest_github_secrets._mask import MIN_LENGTH, Masker, too_short

    config.pluginmanager.register(_Masking(config, Masker(secrets.values())))
    if empty := [key for key, value in secrets.items() if not value]:
        warnings.warn(pytest.PytestWarning(f"empty in {VARIABLE}: {', '.join(empty)}"), stacklevel=1)
    if short := too_short(secrets):
        warnings.warn(
            pytest.PytestWarning(
                f"too short to be masked in what pytest writes (under {MIN_LENGTH} characters, without blanks): "
                + ", ".join(short)
            ),
            stacklevel=1,
        )


class _Masking:
    """The hooks of a run in which `github_secrets` has been set up."""

    def __init__(self, config: pytest.Config, mask: Callable[[str], str]) -> None:
        from pytest_github_secrets import _sinks

        self.config = config
        self.mask = mask
        config.pluginmanager.register(_MaskingFirst(mask))
        _sinks.mask_terminal(config, mask)
        _sinks.mask_log_file(config, mask)
        _sinks.mask_allure(config, mask)

    # After every other plugin has added to the report.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, None]:
        yield from _mask_report(self.mask)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        text = str(warning_message.message)
        if self.mask(text) != text:
            warning_message.message = UserWarning(self.mask(text))

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        from pytest_github_secrets._reports import masked

        masked(excrepr, self.mask)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        from pytest_github_secrets._secrets import compare

        return compare(op, left, right)

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        from pytest_github_secrets._reports import masked

        masked(json_report, self.mask)

    # A fixture may have written into the file of --junit-xml past every report.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, None]:
        yield
        path = self.config.getoption("xmlpath", None)
        if path and not hasattr(self.config, "workerinput"):
            from pytest_github_secrets._sinks import mask_xml

            mask_xml(path, self.mask)


class _MaskingFirst:
    """Masks a report before any other plugin reads it."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        self.mask = mask

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, None]:
        yield from _mask_report(self.mask)


def _mask_report(mask: Callable[[str], str]) -> Generator[None, Any, None]:
    from pytest_github_secrets._reports import mask_report

    outcome = yield
    if outcome.excinfo is None:
        mask_report(outcome.get_result(), mask)
