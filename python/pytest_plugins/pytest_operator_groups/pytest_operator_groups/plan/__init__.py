"""Which group runs on which runner."""
