"""The commands behind the reusable workflow `integration_test_charm.yaml`."""
