"""The commands that the reusable workflows run."""
