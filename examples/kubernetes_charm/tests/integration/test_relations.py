# Copyright 2026 Canonical
# See LICENSE file for licensing details.

import pathlib

import jubilant
import pytest
import yaml

METADATA = yaml.safe_load(pathlib.Path("charmcraft.yaml").read_text())
RESOURCES = {
    "some-container-image": METADATA["resources"]["some-container-image"]["upstream-source"]
}
APP = "journal-k8s"
APPLICATION = "application-k8s"


@pytest.mark.group("application")
def test_integrate(charm: pathlib.Path, packed_charm, juju: jubilant.Juju):
    """Integrate the charm with an application that writes to it."""
    juju.deploy(charm, app=APP, resources=RESOURCES)
    juju.deploy(packed_charm("tests/integration/application_charm"), app=APPLICATION)
    juju.integrate(APP, APPLICATION)
    status = juju.wait(jubilant.all_active)
    assert [each.related_app for each in status.apps[APP].relations["journal"]] == [APPLICATION]


@pytest.mark.group("application")
def test_remove_application(juju: jubilant.Juju):
    """Remove the application. The charm stays active."""
    juju.remove_application(APPLICATION)
    status = juju.wait(lambda status: APPLICATION not in status.apps)
    assert status.apps[APP].is_active


@pytest.mark.group("scale")
def test_scale(charm: pathlib.Path, juju: jubilant.Juju):
    """Deploy three units, then remove two of them."""
    juju.deploy(charm, app=APP, resources=RESOURCES, num_units=3)
    juju.wait(jubilant.all_active)
    juju.remove_unit(APP, num_units=2)
    status = juju.wait(lambda status: len(status.apps[APP].units) == 1)
    assert [*status.apps[APP].units] == [f"{APP}/0"]
