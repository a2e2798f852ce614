"""Deduplicate: pages into decisions, in one transaction per batch."""
