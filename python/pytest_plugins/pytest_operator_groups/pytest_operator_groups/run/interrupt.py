"""Ctrl-C at any moment: pytest tears down all that fixtures have set up, and no model stays."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

# They make a model, and note only when they end that it must be destroyed: in (pytest-)jubilant and pytest-operator.
_MAKE_A_MODEL = {"add_model", "get_juju", "temp_model", "track_model"}
# The seconds that a fixture has to finish. It may as well wait for a deployment, which takes many minutes.
_FOR_A_FIXTURE = 10.0
_POLL = 0.05


class Interrupt:
    """The hooks of pytest that stop its run at SIGINT.

    pytest tears down only what is set up. So what makes a model is done first, and a fixture has some seconds to
    finish. What tears down isn't interrupted.

    A KeyboardInterrupt out of a running event loop leaves the loop unusable, so that async fixtures can't tear down
    (https://docs.python.org/3/library/asyncio-runner.html#handling-keyboard-interruption). There, the test or the
    fixture is cancelled instead. The second SIGINT is a KeyboardInterrupt in any case.
    """

    def __init__(self) -> None:
        self._asked: float | None = None
        self._is_stopped = False
        self._is_poll = False
        self._fixtures = 0
        self._is_in_test = False
        self._tears_down = False
        self._session: Any = None
        signal.signal(signal.SIGINT, self._handle)

    def pytest_sessionstart(self, session: Any) -> None:
        """Remember the session."""
        self._session = session

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self) -> Generator[None, None, None]:
        """Set up a fixture, unless SIGINT came before."""
        self._stop_if_asked()
        self._fixtures += 1
        yield
        self._fixtures -= 1

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Run the test, unless SIGINT came before."""
        self._stop_if_asked()
        self._is_in_test = True
        yield
        self._is_in_test = False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """Tear down the test's fixtures."""
        self._tears_down = True
        yield
        self._tears_down = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Tear down all other fixtures, which is what pytest does in this hook."""
        self._tears_down = True

    def _stop_if_asked(self) -> None:
        # Python ignores a KeyboardInterrupt in some callbacks, as in those of imports.
        if self._asked is not None and not self._fixtures:
            self._is_stopped = True
            raise KeyboardInterrupt

    def _handle(self, _: int, frame: FrameType | None) -> None:
        # pytest shows where the test was, and not this place.
        __tracebackhide__ = True
        is_poll, self._is_poll = self._is_poll, False
        if self._asked is None:
            self._asked = time.monotonic()
        elif not is_poll:
            raise KeyboardInterrupt
        if self._session is None:
            raise KeyboardInterrupt
        self._session.shouldstop = "KeyboardInterrupt"
        # pytest may be on its way to stop already.
        is_late = is_poll and not self._fixtures and not self._is_in_test
        if self._tears_down or self._is_stopped or is_late:
            return
        frames = [*_outwards(frame)]
        task = _find_task(frames)
        is_early = self._fixtures and time.monotonic() < self._asked + _FOR_A_FIXTURE
        if is_early or _makes_a_model(frames, task):
            poll = threading.Timer(_POLL, self._poll)
            poll.daemon = True
            poll.start()
            return
        self._is_stopped = True
        if task is None:
            raise KeyboardInterrupt
        task.get_loop().call_soon_threadsafe(task.cancel, "interrupted")

    def _poll(self) -> None:
        self._is_poll = True
        # Only the main thread runs handlers, and it may wait in C.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _find_task(frames: list[FrameType]) -> Any:
    """Return the task for which an event loop runs, or None."""
    # A suite without asyncio doesn't import it.
    asyncio: Any = sys.modules.get("asyncio")
    for frame in frames if asyncio else ():
        if frame.f_code is asyncio.BaseEventLoop.run_until_complete.__code__:
            return frame.f_locals["future"]
    return None


def _makes_a_model(frames: list[FrameType], task: Any) -> bool:
    names = {frame.f_code.co_name for frame in frames}
    if task is not None:
        for each in sys.modules["asyncio"].all_tasks(task.get_loop()):
            names.update(awaited.__name__ for awaited in _inwards(each.get_coro()))
    return not names.isdisjoint(_MAKE_A_MODEL)


def _inwards(awaited: Any) -> Iterator[Any]:
    """Yield a coroutine, and the coroutines that it waits for."""
    while hasattr(awaited, "cr_await"):
        yield awaited
        awaited = awaited.cr_await
