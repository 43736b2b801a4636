"""The workflows from end to end, on act."""
