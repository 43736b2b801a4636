"""The charm and an application that writes to it."""

from __future__ import annotations

import asyncio

import pytest
from pytest_operator.plugin import OpsTest

APP = "journal"
APPLICATION = "application"
BUNDLE = """
applications:
  journal:
    charm: {{ journal }}
    num_units: 1
    options:
      retention-days: 90
  application:
    charm: {{ application }}
    num_units: 1
relations:
  - [journal, application]
"""


@pytest.mark.group(1)
@pytest.mark.abort_on_fail
async def test_deploy_both(ops_test: OpsTest) -> None:
    journal, application = await asyncio.gather(
        ops_test.build_charm("."), ops_test.build_charm("tests/integration/application_charm")
    )
    await asyncio.gather(
        ops_test.model.deploy(journal, application_name=APP),
        ops_test.model.deploy(application, application_name=APPLICATION),
    )
    await ops_test.model.wait_for_idle(apps=[APP, APPLICATION], status="active", timeout=900, idle_period=5)


@pytest.mark.group(1)
async def test_integrate(ops_test: OpsTest) -> None:
    await ops_test.model.integrate(f"{APP}:journal", f"{APPLICATION}:journal")
    await ops_test.model.wait_for_idle(apps=[APP, APPLICATION], status="active", timeout=600, idle_period=5)
    (relation,) = ops_test.model.applications[APP].relations
    assert relation.matches(f"{APP}:journal", f"{APPLICATION}:journal")


@pytest.mark.group("bundle")
async def test_deploy_bundle_to_another_model(ops_test: OpsTest) -> None:
    charms = await ops_test.build_charms(".", "tests/integration/application_charm")
    await ops_test.track_model("another")
    with ops_test.model_context("another") as model:
        await model.deploy(str(ops_test.render_bundle(BUNDLE, charms)))
        await model.wait_for_idle(apps=[APP, APPLICATION], status="active", timeout=900, idle_period=5)
        assert (await model.applications[APP].get_config())["retention-days"]["value"] == 90
    assert ops_test.model.applications == {}
