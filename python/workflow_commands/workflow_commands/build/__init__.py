"""The commands of the workflows that pack charms."""
