"""Commands that run with the groups that this user has joined since the login."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def with_new_groups(command: Sequence[str]) -> list[str]:
    """Return a command that runs another one as this user, in all groups of the user.

    A process keeps the groups of its login. The user joins `lxd` or `snap_microk8s` later, when the cloud is set up.

    Args:
        command: It gets all variables of this process. Its first word can't contain `=`.
    """
    # The sudo of Ubuntu 26.04 ignores --preserve-env without names. It doesn't take the names of a shell's functions.
    names = ",".join(name for name in sorted(os.environ) if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII))
    # sudo searches in a PATH of its own, so `env` searches in ours.
    return ["sudo", f"--user=#{os.getuid()}", f"--preserve-env={names}", "--", "env", "--", *command]
