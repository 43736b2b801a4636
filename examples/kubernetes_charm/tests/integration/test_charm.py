from __future__ import annotations

from typing import TYPE_CHECKING

import jubilant
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.group(1)

APP = "journal-k8s"


@pytest.mark.juju_setup
def test_deploy(charm: Path, resources: dict[str, str], juju: jubilant.Juju) -> None:
    juju.deploy(charm, app=APP, resources=resources)
    juju.wait(jubilant.all_active)


def test_restart(juju: jubilant.Juju) -> None:
    juju.run(f"{APP}/0", "restart")


def test_user_secret(juju: jubilant.Juju) -> None:
    secret = juju.add_secret("token", {"token": "0123456789"})
    juju.grant_secret(secret, APP)
    juju.config(APP, {"token": secret})
    # The unit is active before the hook runs, too. So wait for what the hook does.
    juju.wait(lambda _: "the journal has a token of 10 characters" in juju.debug_log())
    juju.update_secret(secret, {"token": "a longer one"})
    juju.wait(lambda _: "the journal has a token of 12 characters" in juju.debug_log())
    assert juju.status().apps[APP].is_active
