"""The fixture `github_secrets`, and the hooks that mask its values from the start of the run."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_github_secrets._mask import Masker
    from pytest_github_secrets._secrets import Secrets

VARIABLE = "SECRETS_FROM_GITHUB"
OPTION = "github_secrets_file"

_SECRETS = pytest.StashKey["Secrets"]()


@pytest.fixture(scope="session")
def github_secrets(pytestconfig: pytest.Config) -> dict[str, str]:
    """The secrets that the workflow passed in SECRETS_FROM_GITHUB: a dict of str that never shows its values.

    If every secret is empty, as in a pull request from a fork, tests that use it are skipped.
    """
    from pytest_github_secrets._errors import SecretsError
    from pytest_github_secrets._mask import describe_short, find_short

    # A fixture may have set the variable since the start.
    _start(pytestconfig)
    secrets, problem = pytestconfig.stash.get(_SECRETS, None), ""
    if secrets is None:
        try:
            secrets = _load(pytestconfig)
        except SecretsError as error:
            problem = str(error)
    # Not while the error is handled: its traceback contains the variable.
    if secrets is None:
        pytest.fail(problem, pytrace=False)
    if not any(secrets.values()):
        pytest.skip(f"every secret in {VARIABLE} is empty: a pull request from a fork gets no secrets")
    if empty := [key for key, value in secrets.items() if not value]:
        warnings.warn(pytest.PytestWarning(f"empty in {VARIABLE}: {', '.join(empty)}"), stacklevel=1)
    if short := find_short(secrets):
        warnings.warn(pytest.PytestWarning(describe_short(short)), stacklevel=1)
    return secrets


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option."""
    parser.addini(OPTION, f"dotenv file with the secrets of github_secrets, if {VARIABLE} isn't set; not read in CI")


# Before pytest captures what is written, and before it imports a conftest.py.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, None]:
    """Mask the secrets from now on."""
    _start(early_config)
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Mask the secrets from now on, if a conftest.py has loaded this plugin."""
    _start(config)


def _start(config: pytest.Config) -> None:
    if _SECRETS in config.stash or not (VARIABLE in os.environ or config.getini(OPTION)):
        return
    from pytest_github_secrets._errors import SecretsError

    try:
        secrets = _load(config)
    except SecretsError:
        # The fixture reports it.
        return
    config.stash[_SECRETS] = secrets
    if any(secrets.values()):
        from pytest_github_secrets._mask import Masker
        from pytest_github_secrets._streams import mask_streams

        mask = Masker(secrets.values())
        mask_streams(mask)
        config.pluginmanager.register(_MaskingFirst(mask))
        config.pluginmanager.register(_Masking(config, mask))


def _load(config: pytest.Config) -> Secrets:
    from pytest_github_secrets._secrets import load

    folder = config.inipath.parent if config.inipath else config.rootpath
    name = config.getini(OPTION)
    return load(VARIABLE, folder / name if name else None)


class _Masking:
    """The hooks of a run with secrets."""

    def __init__(self, config: pytest.Config, mask: Masker) -> None:
        self.config = config
        self.mask = mask

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        from pytest_github_secrets import _outputs

        self.xml_path = _outputs.get_path(config, "xmlpath")
        self.html_path = _outputs.get_path(config, "htmlpath")
        _outputs.mask_trace(config, self.mask)
        _outputs.mask_capture(self.mask)
        _outputs.mask_allure(config, self.mask)

    # The log file is opened after pytest_configure.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, Any, None]:
        from pytest_github_secrets._outputs import mask_log_file

        mask_log_file(self.config, self.mask)
        yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_parametrize_id(self, val: object) -> str | None:
        from pytest_github_secrets._values import mask_id

        return mask_id(val, self.mask)

    # After every other plugin has added to the report.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, None]:
        yield from _mask_report(self.mask)

    # Subtests make other reports, and those of pytest-xdist's workers arrive here.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._mask_report_and_id(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._mask_report_and_id(report)

    def _mask_report_and_id(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        from pytest_github_secrets._values import mask_report

        mask_report(report, self.mask)
        if not hasattr(self.config, "workerinput"):
            report.nodeid = self.mask(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        text = str(warning_message.message)
        if self.mask(text) != text:
            warning_message.message = UserWarning(self.mask(text))
        warning_message.filename = self.mask(warning_message.filename)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        from pytest_github_secrets._values import mask_attributes

        mask_attributes(excrepr, self.mask)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        from pytest_github_secrets._secrets import compare

        return compare(op, left, right)

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        from pytest_github_secrets._values import masked

        json_report.update({key: masked(value, self.mask) for key, value in json_report.items()})

    # A fixture may have written to the file of --junit-xml directly.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, None]:
        from pytest_github_secrets import _outputs

        yield
        _outputs.mask_cache(self.config, self.mask)
        if self.xml_path:
            _outputs.mask_xml(self.xml_path, self.mask)
        if self.html_path:
            _outputs.mask_html(self.html_path, self.mask)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        from pytest_github_secrets._outputs import mask_pastebin

        mask_pastebin(self.config, self.mask)


class _MaskingFirst:
    """Masks a report before any other plugin reads it."""

    def __init__(self, mask: Masker) -> None:
        self.mask = mask

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, None]:
        yield from _mask_report(self.mask)


def _mask_report(mask: Masker) -> Generator[None, Any, None]:
    from pytest_github_secrets._values import mask_report

    outcome = yield
    if outcome.excinfo is None:
        mask_report(outcome.get_result(), mask)
