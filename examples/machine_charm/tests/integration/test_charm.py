"""The charm without others: it is deployed, configured and scaled."""

from __future__ import annotations

import pytest
from pytest_operator.plugin import OpsTest

APP = "journal"


async def deploy(ops_test: OpsTest) -> None:
    charm = await ops_test.build_charm(".")
    await ops_test.model.deploy(charm, application_name=APP)
    await ops_test.model.wait_for_idle(apps=[APP], status="active", timeout=600, idle_period=5)


@pytest.mark.group(1)
@pytest.mark.abort_on_fail
@pytest.mark.skip_if_deployed
async def test_deploy(ops_test: OpsTest) -> None:
    await deploy(ops_test)
    assert ops_test.model.applications[APP].units[0].workload_status == "active"


@pytest.mark.group(1)
async def test_configure(ops_test: OpsTest) -> None:
    application = ops_test.model.applications[APP]
    await application.set_config({"retention-days": "7"})
    async with ops_test.fast_forward():
        await ops_test.model.wait_for_idle(apps=[APP], status="active", timeout=600, idle_period=5)
    assert (await application.get_config())["retention-days"]["value"] == 7


@pytest.mark.group("scale")
@pytest.mark.abort_on_fail
async def test_deploy_to_scale(ops_test: OpsTest) -> None:
    await deploy(ops_test)


@pytest.mark.group("scale")
async def test_scale_out(ops_test: OpsTest) -> None:
    await ops_test.model.applications[APP].add_unit(count=2)
    await ops_test.model.wait_for_idle(apps=[APP], status="active", timeout=600, idle_period=5, wait_for_exact_units=3)
    assert len(ops_test.model.applications[APP].units) == 3
