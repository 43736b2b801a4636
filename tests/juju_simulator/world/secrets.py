"""The secrets of a model."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from juju_simulator.world.entities import JujuError, now

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Revision:
    """A content of a secret, and when it was set."""

    content: dict[str, str] = field(repr=False)
    created: str = field(default_factory=now)


@dataclass
class Secret:
    """A secret of a user, who gives it a name, or of a charm, which gives it a label.

    Its key identifies it in a URI. The applications are those that may read it.
    """

    name: str = ""
    label: str = ""
    owner: str = "<model>"
    description: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(10))
    revisions: dict[int, Revision] = field(default_factory=dict)
    latest: int = 0
    applications: list[str] = field(default_factory=list)

    def add_revision(self, content: dict[str, str]) -> None:
        """Set a new content."""
        self.latest += 1
        self.revisions[self.latest] = Revision(content)

    def describe(self) -> dict[str, Any]:
        """Return what `juju secrets` shows."""
        texts = {"name": self.name, "label": self.label, "description": self.description}
        return {
            "revision": self.latest,
            "rotation": "never",
            "owner": self.owner,
            **{key: text for key, text in texts.items() if text},
            "created": next(iter(self.revisions.values())).created,
            "updated": self.revisions[self.latest].created,
        }

    def describe_revisions(self) -> list[dict[str, Any]]:
        """Return what `juju show-secret --revisions` shows of them."""
        return [
            {"revision": number, "backend": "internal", "created": each.created, "updated": each.created}
            for number, each in self.revisions.items()
        ]

    def reveal(self, number: int) -> dict[str, Any]:
        """Return the content of a revision, and its checksum.

        Raises:
            JujuError: There is no such revision.
        """
        if number not in self.revisions:
            raise JujuError(f'secret "{self.key}" revision {number} not found', "not found")
        content = self.revisions[number].content
        checksum = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return {"checksum": checksum, "content": {"Data": content}}


def find_secret(known: Mapping[str, Secret], identifier: str) -> Secret:
    """Return a secret by its name or URI.

    Raises:
        JujuError: There is none.
    """
    key = identifier.removeprefix("secret:").rpartition("/")[2]
    for secret in known.values():
        if secret.key == key or (secret.name and secret.name == identifier):
            return secret
    raise JujuError(f'secret "{identifier}" not found', "not found")
