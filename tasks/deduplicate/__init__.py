"""Deduplicate: decide for each page whether it is new, in one transaction per batch."""
