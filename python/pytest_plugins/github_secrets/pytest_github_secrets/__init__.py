"""A pytest plugin: the fixture `github_secrets`, and the command `redact-secrets`. All modules are private."""
