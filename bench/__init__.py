"""The figures: one command, one table."""
