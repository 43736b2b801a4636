"""The commands that collect groups, run them, and keep what is left of them."""
