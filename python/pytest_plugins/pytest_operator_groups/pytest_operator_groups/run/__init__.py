"""The command `run-groups`: all groups of a suite on one machine."""
