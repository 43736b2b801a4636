#!/usr/bin/env python3
"""Writes to a journal, for its integration tests."""

from __future__ import annotations

import ops


class ApplicationCharm(ops.CharmBase):
    """Is active when it is integrated with a journal."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        framework.observe(self.on.start, self._update_status)
        framework.observe(self.on["journal"].relation_changed, self._update_status)

    def _update_status(self, _: ops.EventBase) -> None:
        self.unit.status = ops.ActiveStatus()


if __name__ == "__main__":
    ops.main(ApplicationCharm)
