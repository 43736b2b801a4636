"""Simulates a Juju controller. python-libjuju and the `juju` command talk to it as they talk to a real one.

It doesn't run charms. Units become active after a set time, and actions answer from a table.
"""

from juju_simulator.server import Simulator
from juju_simulator.world.charm import pack_charm
from juju_simulator.world.table import Table

__all__ = ["Simulator", "Table", "pack_charm"]
