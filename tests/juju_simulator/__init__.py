"""Stands for a Juju controller: python-libjuju and pytest-operator talk to it as they do to a real one.

It runs no charm. Units come up by a timetable, and actions answer from a table.
"""

from juju_simulator._server import Simulator

__all__ = ["Simulator"]
