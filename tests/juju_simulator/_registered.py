"""All methods of the API and all commands: importing their modules registers them."""

from juju_simulator import (
    _api_applications,
    _api_models,
    _api_status,
    _cli_applications,
    _cli_deploy,
    _cli_models,
    _cli_offers,
    _cli_secrets,
    _cli_tasks,
)

__all__ = [
    "_api_applications",
    "_api_models",
    "_api_status",
    "_cli_applications",
    "_cli_deploy",
    "_cli_models",
    "_cli_offers",
    "_cli_secrets",
    "_cli_tasks",
]
