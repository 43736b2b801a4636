"""From a finished run to its report."""
