"""Backfill: what was published before, out of archives: read, chosen, extracted in units, decided in order."""
