"""Draws the end of `make demo` as it looks in a terminal: `picture.py FILE.svg`."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 92


def main(file: Path) -> int:
    """Run the demo in a terminal, write the picture, and return the demo's exit code."""
    output = bytearray()

    def read(descriptor: int) -> bytes:
        output.extend(part := os.read(descriptor, 4096))
        return part

    os.environ |= {"COLUMNS": str(WIDTH), "LINES": "40", "TERM": "xterm-256color"}
    code = os.waitstatus_to_exitcode(pty.spawn(["make", "--silent", "demo"], read))
    if code == 0:
        screen = output.decode().replace("\r\n", "\n")
        table = screen.rindex("\n", 0, screen.rindex("GROUP")) + 1
        file.write_text(draw(f"$ make demo\n...\n{screen[table:].rstrip()}"), encoding="utf-8")
    return code


def draw(screen: str) -> str:
    """Return what a terminal shows as an SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(screen), no_wrap=True, overflow="crop")
    svg = console.export_svg(title="make demo", unique_id="demo")
    # The fonts are on another server, which GitHub doesn't let a picture ask.
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
