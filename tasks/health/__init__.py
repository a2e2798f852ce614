"""Whether a source is well: judged from what the index counts."""
