"""The commands: collect-charms, charm-digest, find-charm and charm-cache."""
