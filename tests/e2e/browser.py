"""A page in a real browser, without a window."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def show(page: Path, is_complete: Callable[[str], bool], section: str = "") -> str:
    """Return what a browser has made of a page, as HTML. On a busy machine, it takes longer.

    Args:
        page: The page.
        is_complete: Returns whether a result contains what is expected.
        section: The part of the URL after #.
    """
    shown = ""
    for budget in (5_000, 20_000, 60_000, 180_000):  # milliseconds of the page's own clock
        shown = _run(page, section, "--dump-dom", f"--virtual-time-budget={budget}")
        if is_complete(shown):
            break
    return shown


def draw(page: Path, picture: Path) -> None:
    """Make a PNG of a page."""
    _run(page, "", f"--screenshot={picture}", "--window-size=1400,300", "--virtual-time-budget=20000")


def _run(page: Path, section: str, *options: str) -> str:
    browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    profile = f"--user-data-dir={page.parents[1]}/browser"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", profile, *options]
    return subprocess.run([*command, f"{page.as_uri()}#{section}"], capture_output=True, text=True, check=True).stdout
