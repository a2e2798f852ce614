"""The values that stages pass to each other. Pure."""
