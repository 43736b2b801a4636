"""The secrets of a GitHub workflow as a pytest fixture, masked in everything that pytest writes.

The package is a pytest plugin. Its interface is the fixture ``github_secrets`` and the command ``redact-secrets``.
"""
