"""Split a pytest suite into groups, and run each group on a separate runner.

The package is a pytest plugin: its interface is the markers ``group`` and ``runner`` and the options ``--group`` and
``--collect-groups``. There is nothing to import.
"""
