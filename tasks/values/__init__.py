"""The values that stages hand to each other. Pure."""
