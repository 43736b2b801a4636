#!/usr/bin/env python3
"""Keeps lines of text for other applications."""

from __future__ import annotations

import ops


class JournalCharm(ops.CharmBase):
    """Tells the applications that are integrated with it for how long their lines are kept, and makes backups."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        framework.observe(self.on.start, self._publish)
        framework.observe(self.on.config_changed, self._publish)
        framework.observe(self.on["journal"].relation_changed, self._publish)
        framework.observe(self.on["create-backup"].action, self._create_backup)

    def _publish(self, _: ops.EventBase) -> None:
        days = int(self.config["retention-days"])
        if days < 1:
            self.unit.status = ops.BlockedStatus("retention-days must be 1 or more")
            return
        if self.unit.is_leader():
            for relation in self.model.relations["journal"]:
                relation.data[self.app]["retention-days"] = str(days)
        self.unit.status = ops.ActiveStatus()

    def _create_backup(self, event: ops.ActionEvent) -> None:
        cloud = event.params["cloud"]
        event.set_results({"backup-id": f"{self.app.name}-{cloud}"})


if __name__ == "__main__":
    ops.main(JournalCharm)
