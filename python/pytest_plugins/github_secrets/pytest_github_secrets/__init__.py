"""The secrets of a GitHub workflow as a pytest fixture, and kept out of all that pytest writes.

The package is a pytest plugin: its interface is the fixture ``github_secrets``, and the command ``redact-secrets``.
"""
