"""Masks what is written without a test's report: logs, traces, captured output, and the files of other plugins."""

from __future__ import annotations

import logging
import os
from functools import wraps
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
    write: Any = tracer._writer  # noqa: SLF001, pluggy has no other way to get it
    if write is None:
        return
    tracer.setwriter(lambda text: write(mask(text)))
    # It begins with the command line.
    file = write.__self__
    file.flush()
    begin = Path(file.name).read_text(encoding=file.encoding)
    file.seek(0)
    file.truncate()
    file.write(mask(begin))


def mask_capture(mask: Masker) -> None:
    """Mask captured output that no report has: pytest writes it to the terminal's file descriptor when it ends."""
    from _pytest import capture

    def masking(write: Any) -> Any:
        # A run in the same process has put another one there.
        write = getattr(write, "__wrapped__", write)

        @wraps(write)
        def write_masked(self: Any, data: Any) -> None:
            write(self, mask(data) if isinstance(data, str) else mask.mask_bytes(data))

        return write_masked

    for kind in (capture.FDCapture, capture.FDCaptureBinary):
        kind.writeorg = masking(kind.writeorg)  # type: ignore[method-assign]  # pytest has no hook for it


def mask_pastebin(config: pytest.Config, mask: Masker) -> None:
    """Mask what --pastebin=all uploads when pytest ends."""
    from _pytest.pastebin import pastebinfile_key

    if file := config.stash.get(pastebinfile_key, None):
        file.seek(0)
        shown = mask.mask_bytes(file.read())
        file.seek(0)
        file.truncate()
        file.write(shown)


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

    @_allure_hook(tryfirst=True)
    def report_globals(self, globals_item: Any) -> None:
        mask_attributes(globals_item, self._mask)

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


def get_path(config: pytest.Config, option: str) -> Path | None:
    """Return the file of an option, --junit-xml or --html, wherever tests change the directory to."""
    path = config.getoption(option, None)
    if not path or hasattr(config, "workerinput"):
        return None
    return Path(os.path.expandvars(path)).expanduser().absolute()


def mask_html(path: Path, mask: Masker) -> None:
    """Mask the file of pytest-html, if there is one. It also has what other plugins tell it."""
    from pytest_github_secrets._files import mask_file

    if path.is_file():
        mask_file(path, mask)


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
