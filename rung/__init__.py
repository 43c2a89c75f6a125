"""The operator's command, and the one place where each process is joined together."""
