"""The workflows, run from end to end by act."""
