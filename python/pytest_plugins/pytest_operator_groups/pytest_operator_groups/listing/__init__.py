"""What `pytest --collect-groups` writes and shows."""
