"""The charms that were packed on this machine, and what makes one of them usable again."""
