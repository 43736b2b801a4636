"""Backups to the object storage of each cloud, with credentials from the workflow."""

from __future__ import annotations

import pytest
from pytest_operator.plugin import OpsTest

APP = "journal"

clouds = pytest.mark.parametrize(
    "cloud",
    [
        pytest.param("AWS", marks=pytest.mark.group("AWS")),
        pytest.param(
            "GCP", marks=[pytest.mark.group("GCP"), pytest.mark.runner(["self-hosted", "linux", "X64", "large"])]
        ),
    ],
)


@clouds
@pytest.mark.abort_on_fail
async def test_deploy(ops_test: OpsTest, cloud: str) -> None:
    charm = await ops_test.build_charm(".")
    await ops_test.model.deploy(charm, application_name=APP)
    await ops_test.model.wait_for_idle(apps=[APP], status="active", timeout=600, idle_period=5)


@clouds
async def test_create_backup(ops_test: OpsTest, github_secrets: dict[str, str], cloud: str) -> None:
    assert github_secrets[f"{cloud}_ACCESS_KEY"]
    action = await ops_test.model.applications[APP].units[0].run_action("create-backup", cloud=cloud)
    await action.wait()
    assert action.status == "completed"
    assert action.results["backup-id"] == f"{APP}-{cloud}"
