"""Deduplicate: pages into decisions, in one transaction a batch."""
