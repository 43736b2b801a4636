"""The formats that commands hand to each other: the groups' JSON, records, JUnit files, durations, progress."""
