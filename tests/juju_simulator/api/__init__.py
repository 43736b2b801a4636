"""Juju's API, as python-libjuju speaks it."""
