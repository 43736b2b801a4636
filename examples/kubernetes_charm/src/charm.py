#!/usr/bin/env python3
"""A journal on Kubernetes."""

from __future__ import annotations

import logging

import ops

logger = logging.getLogger(__name__)


class JournalCharm(ops.CharmBase):
    """Runs the journal, with the token that is in a secret of the user."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.container = self.unit.get_container("journal")
        framework.observe(self.on["journal"].pebble_ready, self._update)
        framework.observe(self.on.config_changed, self._update)
        framework.observe(self.on.secret_changed, self._update)
        framework.observe(self.on["restart"].action, self._restart)

    def _update(self, _: ops.EventBase) -> None:
        if not self.container.can_connect():
            self.unit.status = ops.WaitingStatus("waiting for the container")
            return
        try:
            token = self._read_token()
        except (ops.ModelError, KeyError):  # there is none, it isn't granted, or it has no such key
            self.unit.status = ops.BlockedStatus("`token` must be a secret with the key token, granted to this charm")
            return
        service: ops.pebble.ServiceDict = {
            "override": "replace",
            "startup": "enabled",
            "command": "sleep infinity",
            "environment": {"JOURNAL_TOKEN": token},
        }
        self.container.add_layer("journal", {"services": {"journal": service}}, combine=True)
        self.container.replan()
        logger.info("the journal has a token of %d characters", len(token))
        self.unit.status = ops.ActiveStatus()

    def _read_token(self) -> str:
        secret = self.config.get("token")
        if not secret:
            return ""
        return self.model.get_secret(id=str(secret)).get_content(refresh=True)["token"]

    def _restart(self, event: ops.ActionEvent) -> None:
        try:
            self.container.restart("journal")
        except ops.pebble.Error as error:
            event.fail(f"the journal doesn't restart: {error}")


if __name__ == "__main__":
    ops.main(JournalCharm)
