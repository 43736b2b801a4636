from __future__ import annotations

from typing import TYPE_CHECKING

import jubilant
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APP = "journal-k8s"
APPLICATION = "application-k8s"


@pytest.mark.group("application")
def test_integrate(
    charm: Path, packed_charm: Callable[..., Path], resources: dict[str, str], juju: jubilant.Juju
) -> None:
    juju.deploy(charm, app=APP, resources=resources)
    juju.deploy(packed_charm("tests/integration/application_charm"), app=APPLICATION)
    juju.integrate(APP, APPLICATION)
    status = juju.wait(jubilant.all_active)
    assert [each.related_app for each in status.apps[APP].relations["journal"]] == [APPLICATION]


@pytest.mark.group("application")
def test_remove_application(juju: jubilant.Juju) -> None:
    juju.remove_application(APPLICATION)
    status = juju.wait(lambda status: APPLICATION not in status.apps)
    assert status.apps[APP].is_active


@pytest.mark.group("scale")
def test_scale(charm: Path, resources: dict[str, str], juju: jubilant.Juju) -> None:
    juju.deploy(charm, app=APP, resources=resources, num_units=3)
    juju.wait(jubilant.all_active)
    juju.remove_unit(APP, num_units=2)
    status = juju.wait(lambda status: len(status.apps[APP].units) == 1)
    assert [*status.apps[APP].units] == [f"{APP}/0"]
