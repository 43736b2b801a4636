"""Writes the workflow commands that GitHub reads in the output of a step."""

from __future__ import annotations


def add_mask(text: str) -> str:
    """Return the command that masks a text in GitHub's log, from this line on.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#masking-a-value-in-a-log.
    The escapes are those of "escapeData" in https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
    """
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::add-mask::{escaped}"
