"""The groups of a suite: from pytest's items and markers to groups, and the tests of one group."""
