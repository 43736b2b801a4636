"""Masks what is written without a test's report: log file, trace of --debug, Allure's files, file of --junit-xml."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pluggy

from pytest_github_secrets._values import mask_attributes, masked

if TYPE_CHECKING:
    from collections.abc import Generator

    import pytest

    from pytest_github_secrets._mask import Masker

_allure_hook = pluggy.HookimplMarker("allure")


def mask_log_file(config: pytest.Config, mask: Masker) -> None:
    """Mask what --log-file writes."""
    handler = getattr(config.pluginmanager.get_plugin("logging-plugin"), "log_file_handler", None)
    if handler is not None:
        handler.setFormatter(_MaskingFormatter(handler.formatter, mask))


class _MaskingFormatter(logging.Formatter):
    def __init__(self, formatter: logging.Formatter, mask: Masker) -> None:
        super().__init__()
        self._formatter = formatter
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._formatter.format(record))


def mask_trace(config: pytest.Config, mask: Masker) -> None:
    """Mask what --debug writes."""
    tracer = config.trace.root
    write = tracer._writer  # noqa: SLF001, pluggy has no other way to get it
    if write is not None:
        tracer.setwriter(lambda text: write(mask(text)))


def mask_allure(config: pytest.Config, mask: Masker) -> None:
    """Mask what allure-pytest writes, if it is in use."""
    directory = config.getoption("allure_report_dir", None)
    if directory:
        import allure_commons

        plugin = _AllureMasking(Path(directory).absolute(), mask)
        allure_commons.plugin_manager.register(plugin)
        config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(plugin))


class _AllureMasking:
    def __init__(self, directory: Path, mask: Masker) -> None:
        self._directory = directory
        self._mask = mask

    @_allure_hook(tryfirst=True)
    def report_result(self, result: Any) -> None:
        mask_attributes(result, self._mask)

    @_allure_hook(tryfirst=True)
    def report_container(self, container: Any) -> None:
        mask_attributes(container, self._mask)

    @_allure_hook(hookwrapper=True)
    def report_attached_data(self, file_name: str) -> Generator[None, Any, None]:
        yield
        self._mask_file(file_name)

    @_allure_hook(hookwrapper=True)
    def report_attached_file(self, file_name: str) -> Generator[None, Any, None]:
        yield
        self._mask_file(file_name)

    def _mask_file(self, name: str) -> None:
        from pytest_github_secrets._files import mask_file

        path = self._directory / name
        if path.is_file():
            mask_file(path, self._mask)


def mask_cache(config: pytest.Config, mask: Masker) -> None:
    """Mask the IDs of tests that pytest keeps for its next run. Those of parameters with an ID may be secrets."""
    cache = getattr(config, "cache", None)
    if cache is None:
        return
    for key in ("cache/nodeids", "cache/lastfailed", "cache/stepwise"):
        value = cache.get(key, None)
        shown = masked(value, mask)
        if shown != value:
            cache.set(key, shown)


def get_xml_path(config: pytest.Config) -> Path | None:
    """Return the file of --junit-xml, wherever tests change the directory to."""
    path = config.getoption("xmlpath", None)
    if not path or hasattr(config, "workerinput"):
        return None
    return Path(os.path.expandvars(path)).expanduser().absolute()


def mask_xml(path: Path, mask: Masker) -> None:
    """Mask the text in an XML file, if pytest has written one. Its structure stays the same."""
    if not path.is_file():
        return
    data = path.read_bytes()
    if mask.mask_bytes(data) == data:
        return
    try:
        tree = ET.parse(path)  # noqa: S314, pytest has just written it
    except ET.ParseError:  # pytest 7 writes control characters as they are
        path.write_bytes(mask.mask_bytes(data))
        return
    for element in tree.iter():
        element.attrib.update({name: mask(value) for name, value in element.attrib.items()})
        element.text = element.text and mask(element.text)
    tree.write(path, encoding="utf-8", xml_declaration=True)
