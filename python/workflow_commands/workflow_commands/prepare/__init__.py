"""The commands that come before the tests: inputs, tools, charms, and the cloud."""
