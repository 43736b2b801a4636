"""Charms: their source, what a packed one contains, and which packed one fits."""
