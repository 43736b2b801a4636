"""What writes text past the reports of tests: the terminal, the log file, Allure and the file of --junit-xml."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pluggy

from pytest_github_secrets._reports import masked

if TYPE_CHECKING:
    import pytest

Mask = Callable[[str], str]

_allure_hook = pluggy.HookimplMarker("allure")


def mask_terminal(config: pytest.Config, mask: Mask) -> None:
    """Mask whatever goes through pytest's terminal writer."""
    if config.pluginmanager.has_plugin("terminalreporter"):
        writer = config.get_terminal_writer()
        write = writer.write
        writer.write = lambda text, **markup: write(mask(text), **markup)  # type: ignore[method-assign]  # of this one


def mask_log_file(config: pytest.Config, mask: Mask) -> None:
    """Mask what --log-file writes."""
    handler = getattr(config.pluginmanager.get_plugin("logging-plugin"), "log_file_handler", None)
    if handler is not None:
        handler.setFormatter(_MaskingFormatter(handler.formatter, mask))


class _MaskingFormatter(logging.Formatter):
    def __init__(self, formatter: logging.Formatter, mask: Mask) -> None:
        super().__init__()
        self._formatter = formatter
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._formatter.format(record))


def mask_allure(config: pytest.Config, mask: Mask) -> None:
    """Mask what allure-pytest writes, where it does."""
    directory = config.getoption("allure_report_dir", None)
    if directory:
        import allure_commons

        allure_commons.plugin_manager.register(_AllureMasking(Path(directory), mask))


class _AllureMasking:
    def __init__(self, directory: Path, mask: Mask) -> None:
        self._directory = directory
        self._mask = mask

    @_allure_hook(tryfirst=True)
    def report_result(self, result: Any) -> None:
        masked(result, self._mask)

    @_allure_hook(tryfirst=True)
    def report_container(self, container: Any) -> None:
        masked(container, self._mask)

    @_allure_hook(hookwrapper=True)
    def report_attached_data(self, file_name: str) -> Generator[None, Any, None]:
        yield
        self._mask_file(self._directory / file_name)

    @_allure_hook(hookwrapper=True)
    def report_attached_file(self, file_name: str) -> Generator[None, Any, None]:
        yield
        self._mask_file(self._directory / file_name)

    def _mask_file(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return
        path.write_text(self._mask(text), encoding="utf-8")


def mask_xml(path: str, mask: Mask) -> None:
    """Mask the text in an XML file that pytest has written, if it has, and leave its structure alone."""
    file = Path(os.path.expandvars(path)).expanduser()
    if not file.is_file():
        return
    try:
        tree = ET.parse(file)  # noqa: S314, pytest has just written it
    except ET.ParseError:  # pytest 7 writes control characters as they are
        file.write_text(mask(file.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for element in tree.iter():
        element.attrib.update({name: mask(value) for name, value in element.attrib.items()})
        element.text = element.text and mask(element.text)
    tree.write(file, encoding="utf-8", xml_declaration=True)
