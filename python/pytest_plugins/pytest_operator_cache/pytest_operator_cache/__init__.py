"""Never pack the same charm twice: the packed charm for integration tests, in CI and on a laptop.

The package is a pytest plugin: its interface is ``ops_test.build_charm()``, the fixture ``packed_charm``, three
options (``--charm-base``, ``--charm-cache``, ``--charm-cache-clear``), and the commands ``collect-charms`` and
``charm-digest``.
"""
