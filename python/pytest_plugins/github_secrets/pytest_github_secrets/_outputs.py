"""Masks what pytest and its plugins write in a run with secrets: streams, reports, logs and files."""

from __future__ import annotations

import copy
import dataclasses
import logging
import os
import sys
from collections.abc import Mapping
from enum import Enum
from itertools import count
from operator import is_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from pytest_github_secrets._mask import mask_file
from pytest_github_secrets._secrets import compare

if TYPE_CHECKING:
    import warnings
    from collections.abc import Callable, Generator, Iterable

    from pytest_github_secrets._mask import Masker

_allure_hook = pluggy.HookimplMarker("allure")
# An ID finds a test, and pytest 9.2 keeps it in _id. The others are no text to show: plugins calculate with the times.
_KEPT = {"_id", "duration", "nodeid", "outcome", "result", "start", "stop", "when"}
# A value within a value within a value...: deeper ones are masked as text.
_MAX_DEPTH = 50
_KINDS = (list, tuple, set, frozenset)


class MaskedStream:
    """A stream that masks what is written to it. In all else, it is the stream that it writes to.

    Each write is masked by itself: print and logging write a value at once.
    """

    def __init__(self, stream: Any, mask: Masker) -> None:
        self._stream = stream
        self._mask = mask

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # a copy doesn't have it yet
            raise AttributeError(name)
        return getattr(self._stream, name)

    @property  # type: ignore[misc]  # isinstance looks at it
    def __class__(self) -> type:
        return type(self._stream)

    # Python looks for these in the class.
    def __enter__(self: Any) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __iter__(self) -> Any:
        return iter(self._stream)

    @property
    def buffer(self) -> Any:
        return MaskedStream(self._stream.buffer, self._mask)

    def write(self, data: Any, /) -> int:
        if isinstance(data, str):
            self._stream.write(self._mask(data))
            return len(data)
        try:
            view = memoryview(data).cast("B")
        except TypeError:
            # The stream knows which error this is.
            return int(self._stream.write(data))
        self._stream.write(self._mask.mask_bytes(bytes(view)))
        return view.nbytes

    def writelines(self, lines: Iterable[Any], /) -> None:
        for line in lines:
            self.write(line)


def mask_streams(mask: Masker) -> Callable[[], None]:
    """Mask what is written to `sys.stdout` and `sys.stderr`. Return what ends this."""
    # While Python ends, the streams are the original ones again.
    names = ("stdout", "stderr", "__stdout__", "__stderr__")
    streams = {name: stream for name in names if (stream := getattr(sys, name)) is not None}
    masked_streams = {name: MaskedStream(stream, mask) for name, stream in streams.items()}
    vars(sys).update(masked_streams)

    def unmask() -> None:
        for name, stream in streams.items():
            # A stream that somebody else has put there stays: this one may be closed by now.
            if getattr(sys, name) is masked_streams[name]:
                setattr(sys, name, stream)

    return unmask


def mask_capture(config: pytest.Config, mask: Masker) -> None:
    """Mask captured output that no report has: pytest writes it to the terminal's file descriptor when it ends."""
    from _pytest import capture

    patch = pytest.MonkeyPatch()
    for kind in (capture.FDCapture, capture.FDCaptureBinary):

        def write_masked(self: Any, data: Any, write: Callable[[Any, Any], None] = kind.writeorg) -> None:
            write(self, mask(data) if isinstance(data, str) else mask.mask_bytes(data))

        # pytest has no hook for it.
        patch.setattr(kind, "writeorg", write_masked)

    def end() -> None:
        # It has ended already, unless the masking began after it, as in a run whose conftest.py loads this plugin.
        if manager := config.pluginmanager.get_plugin("capturemanager"):
            manager.stop_global_capturing()
        patch.undo()

    config.add_cleanup(end)


def mask_trace(config: pytest.Config, mask: Masker) -> None:
    """Mask what pytest writes to its own copy of stderr if PYTEST_DEBUG is set."""
    if os.environ.get("PYTEST_DEBUG"):
        config.pluginmanager.trace.root.setwriter(MaskedStream(os.fdopen(os.dup(2), "w", buffering=1), mask).write)


class Masking:
    """The hooks of a run with secrets."""

    def __init__(self, config: pytest.Config, mask: Masker) -> None:
        self.config = config
        self.mask = mask

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        # A test may change the directory. The workers of pytest-xdist write no file.
        options = {} if hasattr(config, "workerinput") else {"xmlpath": "--junit-xml", "htmlpath": "--html"}
        self.files = []
        for name, option in options.items():
            if path := config.getoption(name, None):
                file = Path(os.path.expandvars(path)).expanduser().absolute()
                is_device = file.is_relative_to("/dev") or (file.exists() and not file.is_file())
                if is_device and str(file) != os.devnull:
                    raise pytest.UsageError(f"{option}={path}: secrets can only be masked in a file. Name one.")
                # A link stays one.
                self.files.append(file.resolve())
        self._mask_log_files()
        if directory := config.getoption("allure_report_dir", None):
            import allure_commons

            plugin = _AllureMasking(Path(directory).absolute(), self.mask)
            allure_commons.plugin_manager.register(plugin)
            config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(plugin))

    # pytest has opened --log-file, and logs to it.
    @pytest.hookimpl(hookwrapper=True)
    def pytest_sessionstart(self) -> Generator[None, Any, None]:
        self._mask_log_files()
        yield

    def _mask_log_files(self) -> None:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.FileHandler):
                handler.setFormatter(_MaskingFormatter(handler.formatter or logging.Formatter(), self.mask))

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_parametrize_id(self, val: object) -> str | None:
        if not isinstance(val, (str, bytes, int, float, Enum)):
            return None
        text = val.decode(errors="backslashreplace") if isinstance(val, bytes) else str(val)
        shown = self.mask(text)
        return None if shown == text else shown.encode("unicode_escape").decode()

    # Before any other plugin reads the report.
    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, None]:
        outcome = yield
        if outcome.excinfo is None:
            _mask_report(outcome.get_result(), self.mask)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        _mask_report(report, self.mask)
        if not hasattr(self.config, "workerinput"):
            report.nodeid = self.mask(report.nodeid)

    # Other plugins have added to the report, subtests make their own, and those of pytest-xdist's workers arrive here.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.pytest_collectreport(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        text = str(warning_message.message)
        if self.mask(text) != text:
            warning_message.message = UserWarning(self.mask(text))
        warning_message.filename = self.mask(warning_message.filename)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> None:
        _mask_attributes(excrepr, self.mask)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        return compare(op, left, right)

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        json_report.update({key: _masked(value, self.mask) for key, value in json_report.items()})

    # A fixture may have written to the file of --junit-xml directly, and a hook of pytest-html to its file.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, None]:
        yield
        for path in filter(Path.is_file, self.files):
            mask_file(path, self.mask)


class _MaskingFormatter(logging.Formatter):
    def __init__(self, formatter: logging.Formatter, mask: Masker) -> None:
        super().__init__()
        self._formatter = formatter
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(self._formatter.format(record))


class _AllureMasking:
    """The hooks of Allure in a run with secrets."""

    def __init__(self, directory: Path, mask: Masker) -> None:
        self._directory = directory
        self._mask = mask

    @_allure_hook(tryfirst=True)
    def report_result(self, result: Any) -> None:
        _mask_attributes(result, self._mask)

    @_allure_hook(tryfirst=True)
    def report_container(self, container: Any) -> None:
        _mask_attributes(container, self._mask)

    @_allure_hook(tryfirst=True)
    def report_globals(self, globals_item: Any) -> None:
        _mask_attributes(globals_item, self._mask)

    @_allure_hook(hookwrapper=True)
    def report_attached_data(self, file_name: str) -> Generator[None, Any, None]:
        yield
        self._mask_attachment(file_name)

    @_allure_hook(hookwrapper=True)
    def report_attached_file(self, file_name: str) -> Generator[None, Any, None]:
        yield
        self._mask_attachment(file_name)

    def _mask_attachment(self, file_name: str) -> None:
        path = self._directory / file_name
        if path.is_file():
            mask_file(path, self._mask)


def _mask_report(report: object, mask: Masker) -> None:
    """Mask the report of a test or a collector in place, except its ID, by which pytest-xdist finds the test."""
    for name, value in list(vars(report).items()):
        if name == "longrepr" and not (value is None or isinstance(value, (str, tuple)) or _has_text(value)):
            setattr(report, name, mask(str(value)))
        elif name not in _KEPT:
            setattr(report, name, _masked(value, mask))


def _mask_attributes(value: object, mask: Masker, depth: int = 0) -> None:
    """Mask all attributes of an object in place."""
    for name, attribute in list(vars(value).items()):
        result = _masked(attribute, mask, depth)
        if name == "lines" and isinstance(result, list) and all(isinstance(line, str) for line in result):
            # A secret may be in several lines.
            text = "\n".join(result)
            result = result if (masked := mask(text)) == text else masked.split("\n")
        setattr(value, name, result)


def _masked(value: Any, mask: Masker, depth: int = 0) -> Any:
    """Return a value with all of its text masked.

    Containers are copied, because they may belong to a test. Objects of pytest and Allure that consist of text are
    changed in place. Any other object becomes a text if it would show a secret.
    """
    result = value
    if isinstance(value, str):
        result = mask(value)
    elif isinstance(value, (bytes, bytearray)):
        result = mask.mask_bytes(bytes(value))
    elif depth == _MAX_DEPTH:
        result = _masked_object(value, mask)
    elif isinstance(value, Mapping):
        result = _masked_mapping(value, mask, depth + 1)
        is_clean = type(value) is not dict and all(key in result and result[key] is value[key] for key in value)
        result = value if is_clean else result
    elif isinstance(value, _KINDS):
        kind = next(kind for kind in _KINDS if isinstance(value, kind))
        elements = [_masked(element, mask, depth + 1) for element in value]
        # Other kinds of containers can't be made again in the same way, but for named tuples.
        is_clean = type(value) is not kind and all(map(is_, elements, value))
        result = value if is_clean else getattr(value, "_make", kind)(elements)
    elif _has_text(value):
        _mask_attributes(value, mask, depth + 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Such as the context of a subtest. It may belong to a test, too.
        result = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(result, field.name, _masked(getattr(value, field.name), mask, depth + 1))
    elif value is not None and not isinstance(value, bool):
        result = _masked_object(value, mask)
    return result


def _masked_mapping(value: Mapping[Any, Any], mask: Masker, depth: int) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key, element in value.items():
        shown = _masked(key, mask, depth) if isinstance(key, (str, bytes, tuple)) else key
        if shown in result and isinstance(shown, str):
            # Two keys look alike when they are masked.
            shown = next(numbered for number in count(2) if (numbered := f"{shown}-{number}") not in result)
        result[shown] = _masked(element, mask, depth)
    return result


def _masked_object(value: object, mask: Masker) -> object:
    try:
        texts = [str(value), repr(value)]
    except Exception:  # noqa: BLE001, a test's class may raise anything. Then nobody can show it
        return value
    return value if all(mask(text) == text for text in texts) else mask(texts[0])


def _has_text(value: object) -> bool:
    """Return whether a value is Allure's, or what pytest shows of an error. Both consist of text."""
    # In the class: a mock has whatever attribute it is asked for.
    is_allures = type(value).__module__ == "allure_commons.model2"
    return is_allures or (hasattr(type(value), "toterminal") and hasattr(value, "__dict__"))
