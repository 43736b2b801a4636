"""Juju's models and their logs."""
