"""Backfill: read earlier articles from archives, choose, extract them in units, and deduplicate in order."""
