"""Masks what Python writes to `sys.stdout` and `sys.stderr`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_github_secrets._mask import Masker


def mask_streams(mask: Masker) -> None:
    """Mask what is written to `sys.stdout` and `sys.stderr` until Python ends, which may write a traceback then."""
    # While Python ends, the streams are the original ones again.
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, MaskedStream(stream, mask))


class MaskedStream:
    """A stream that masks what is written to it. In all else, it is the stream that it writes to.

    Each write is masked by itself: print and logging write a value at once.
    """

    def __init__(self, stream: Any, mask: Masker) -> None:
        # A run in the same process has put another one there.
        self._stream: Any = stream._stream if type(stream) is MaskedStream else stream  # noqa: SLF001, of this class
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
        """Write text or bytes, and return how much was given."""
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
        """Write several texts or bytes."""
        for line in lines:
            self.write(line)
