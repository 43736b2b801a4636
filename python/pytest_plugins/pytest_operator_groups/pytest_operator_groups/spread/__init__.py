"""The command `write-spread-tasks`: a task of spread for each group."""
